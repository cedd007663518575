ALTER TABLE company ADD COLUMN history_from DATE; -- the first session that is the company's own; NULL: all are
ALTER TABLE company ADD COLUMN ai_from DATE;      -- role AI counts from then on; NULL: from its first session
ALTER TABLE company ADD COLUMN spin_off DATE;     -- closes before it have a spin-off taken out: no market value
ALTER TABLE company ADD COLUMN note VARCHAR;
ALTER TABLE event ADD COLUMN lead VARCHAR;        -- the ticker or the segment that the event is about
ALTER TABLE shares_outstanding ADD COLUMN filed DATE;         -- the day the count was published; NULL: not noted
ALTER TABLE shares_outstanding ADD COLUMN form VARCHAR;       -- of the filing, such as 10-Q
ALTER TABLE shares_outstanding ADD COLUMN confidence VARCHAR; -- A a filing, B two sources or a balance sheet, C one
ALTER TABLE app_ranking ADD COLUMN confidence VARCHAR;        -- of a reported rank: A, B, or C for an approximate one
CREATE TABLE factor_daily ( -- Fama and French's five factors and momentum, fractions a day
    date DATE, mkt_rf DOUBLE, smb DOUBLE, hml DOUBLE, rmw DOUBLE, cma DOUBLE, umd DOUBLE, rf DOUBLE,
    source VARCHAR, run_id VARCHAR
);
CREATE TABLE reported_move ( -- one-day changes of market value as the press gave them
    direction VARCHAR, date DATE, company VARCHAR, ticker VARCHAR,
    change DOUBLE,       -- fraction
    value_change DOUBLE, -- US dollars
    source VARCHAR, source_url VARCHAR, confidence VARCHAR, note VARCHAR
);
CREATE TABLE day_note ( -- what happened on days of large moves, by a source
    date DATE, cause VARCHAR, explanation VARCHAR, source VARCHAR, source_url VARCHAR, confidence VARCHAR
);
CREATE TABLE rule (name VARCHAR, text VARCHAR); -- rules of the catalogue in words
