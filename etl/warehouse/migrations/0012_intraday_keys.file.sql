ALTER TABLE price_intraday ADD PRIMARY KEY (ticker, minutes, starts_at);
ALTER TABLE intraday_asked ADD PRIMARY KEY (ticker, minutes, session);
