ALTER TABLE company ADD PRIMARY KEY (ticker);
ALTER TABLE price_daily ADD PRIMARY KEY (ticker, date);
ALTER TABLE dividend ADD PRIMARY KEY (ticker, ex_date);
ALTER TABLE split ADD PRIMARY KEY (ticker, date);
ALTER TABLE shares_outstanding ADD PRIMARY KEY (ticker, date);
ALTER TABLE exchange_rate ADD PRIMARY KEY (currency, date);
ALTER TABLE event ADD PRIMARY KEY (event_id);
ALTER TABLE etl_run ADD PRIMARY KEY (run_id, source);
