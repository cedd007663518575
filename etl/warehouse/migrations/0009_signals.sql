CREATE TABLE signal ( -- what a refresh noticed, from nothing but what was known at the close of the session
    signal_id VARCHAR,
    kind VARCHAR,            -- move, record, rank or coincidence
    session DATE, subject VARCHAR, name VARCHAR,
    direction VARCHAR,       -- up or down
    measure VARCHAR,         -- what `size` is
    size DOUBLE,             -- a fraction, US dollars, or a rank
    unusual DOUBLE,          -- share of the earlier days that moved as much
    earlier INTEGER,         -- how many days that is a share of
    place INTEGER,           -- in the record book, for a record
    detail VARCHAR,          -- a sentence
    alarms DOUBLE,           -- sessions a year with a signal that the operator asked for
    first_seen TIMESTAMPTZ, corrected_at TIMESTAMPTZ, withdrawn_at TIMESTAMPTZ,
    run_id VARCHAR
);
CREATE TABLE signal_run (run_id VARCHAR, computed_at TIMESTAMPTZ, through DATE, alarms DOUBLE);
