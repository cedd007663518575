CREATE TABLE company (
    ticker VARCHAR, name VARCHAR, segment VARCHAR,
    exchange VARCHAR, -- market identifier code, ISO 10383
    currency VARCHAR, role VARCHAR, is_benchmark BOOLEAN, bundled BOOLEAN
);
CREATE TABLE price_daily (
    ticker VARCHAR, date DATE, open DOUBLE, high DOUBLE, low DOUBLE,
    close DOUBLE,     -- split-adjusted
    adj_close DOUBLE, -- split- and dividend-adjusted
    volume BIGINT, currency VARCHAR, source VARCHAR, run_id VARCHAR
);
CREATE TABLE dividend (
    ticker VARCHAR, ex_date DATE, amount DOUBLE, currency VARCHAR, source VARCHAR, run_id VARCHAR
);
CREATE TABLE split (ticker VARCHAR, date DATE, ratio DOUBLE, source VARCHAR, run_id VARCHAR);
CREATE TABLE shares_outstanding (
    ticker VARCHAR, date DATE, shares BIGINT, basis VARCHAR,
    splits_through DATE, -- the count includes every split up to this day (data/prices/shares.csv has it; else = date)
    source VARCHAR
);
CREATE TABLE exchange_rate (
    currency VARCHAR, date DATE, usd_per_unit DOUBLE, source VARCHAR, run_id VARCHAR
);
CREATE TABLE ranking_capture (
    captured_at TIMESTAMPTZ, store VARCHAR, country VARCHAR, chart VARCHAR, device VARCHAR,
    depth INTEGER, -- entries that the capture holds; NULL for a single reported point
    evidence VARCHAR, source VARCHAR, source_url VARCHAR, run_id VARCHAR
);
CREATE TABLE app_ranking (
    captured_at TIMESTAMPTZ, store VARCHAR, country VARCHAR, chart VARCHAR, device VARCHAR,
    rank INTEGER, app_id VARCHAR, app_name VARCHAR, publisher VARCHAR,
    evidence VARCHAR, source VARCHAR, source_url VARCHAR, note VARCHAR, run_id VARCHAR
);
CREATE TABLE event (
    event_id VARCHAR, title VARCHAR, occurred_at TIMESTAMPTZ, zone VARCHAR, time_known BOOLEAN,
    market_session DATE, market_open BOOLEAN,
    kind VARCHAR, description VARCHAR, source VARCHAR, source_url VARCHAR
);
CREATE TABLE etl_run (
    run_id VARCHAR, started_at TIMESTAMPTZ, finished_at TIMESTAMPTZ, source VARCHAR, status VARCHAR,
    rows_received BIGINT, rows_inserted BIGINT, rows_updated BIGINT, rows_rejected BIGINT, message VARCHAR
);
CREATE TABLE etl_run_item (
    run_id VARCHAR, source VARCHAR, item VARCHAR, status VARCHAR, asked_from DATE, asked_to DATE,
    received BIGINT, inserted BIGINT, updated BIGINT, rejected BIGINT, seconds DOUBLE, message VARCHAR
);
CREATE TABLE revision (
    run_id VARCHAR, table_name VARCHAR, key VARCHAR, column_name VARCHAR, old_value VARCHAR, new_value VARCHAR
);
CREATE TABLE quarantine (run_id VARCHAR, source VARCHAR, item VARCHAR, reason VARCHAR, row_json VARCHAR);
