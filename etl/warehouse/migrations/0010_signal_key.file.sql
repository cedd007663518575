ALTER TABLE signal ADD PRIMARY KEY (signal_id);
