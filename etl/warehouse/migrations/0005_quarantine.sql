ALTER TABLE quarantine ADD COLUMN table_name VARCHAR;
ALTER TABLE quarantine ADD COLUMN key VARCHAR; -- the columns that tell the row apart, as in revision
ALTER TABLE quarantine ADD COLUMN figure DOUBLE; -- what the row is about: a close, an amount, a ratio, a rank
ALTER TABLE quarantine ADD COLUMN first_seen TIMESTAMPTZ;
ALTER TABLE quarantine ADD COLUMN last_seen TIMESTAMPTZ; -- run_id is of the run that saw it last
ALTER TABLE quarantine ADD COLUMN times BIGINT; -- how many runs have refused it
ALTER TABLE quarantine ADD COLUMN settled VARCHAR; -- accepted or dropped by an operator, mended by its source, or NULL
UPDATE quarantine SET times = 1,
    first_seen = (SELECT min(started_at) FROM etl_run WHERE etl_run.run_id = quarantine.run_id),
    table_name = CASE
        WHEN row_json LIKE '%"ex_date":%' THEN 'dividend'
        WHEN row_json LIKE '%"ratio":%' THEN 'split'
        WHEN row_json LIKE '%"close":%' THEN 'price_daily'
        WHEN row_json LIKE '%"shares":%' THEN 'shares_outstanding'
        WHEN row_json LIKE '%"usd_per_unit":%' THEN 'exchange_rate'
        WHEN row_json LIKE '%"rank":%' THEN 'app_ranking'
        ELSE 'ranking_capture' END;
UPDATE quarantine SET last_seen = first_seen;
CREATE TABLE quarantine_decision (
    table_name VARCHAR, key VARCHAR, figure DOUBLE, item VARCHAR,
    verdict VARCHAR, -- accepted or dropped
    reason VARCHAR, decided_by VARCHAR, decided_at TIMESTAMPTZ, refused_for VARCHAR, row_json VARCHAR
);
