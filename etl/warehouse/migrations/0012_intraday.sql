CREATE TABLE price_intraday ( -- bars within a session, of days that were signalled or have an event
    ticker VARCHAR,
    minutes INTEGER,      -- length of the bar
    starts_at TIMESTAMPTZ,
    local_time TIMESTAMP, -- the same on the clock of the exchange
    session DATE,
    phase VARCHAR,        -- pre, regular or post, by the calendar of the exchange
    open DOUBLE, high DOUBLE, low DOUBLE, close DOUBLE, volume BIGINT, currency VARCHAR,
    splits_through DATE,  -- the prices are on the basis of every split up to this day
    source VARCHAR, run_id VARCHAR
);
CREATE TABLE intraday_asked ( -- which sessions a source has been asked for, so that it is not asked for them again
    ticker VARCHAR, minutes INTEGER, session DATE, asked_at TIMESTAMPTZ, source VARCHAR
);
