ALTER TABLE company ADD COLUMN retired BOOLEAN; -- no longer followed: neither asked for nor missed
CREATE TABLE absent_session (
    ticker VARCHAR, date DATE, -- a session of the exchange of which the source, when asked, had no bar
    source VARCHAR, run_id VARCHAR
);
