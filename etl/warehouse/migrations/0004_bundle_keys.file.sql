ALTER TABLE factor_daily ADD PRIMARY KEY (date);
ALTER TABLE reported_move ADD PRIMARY KEY (direction, date, company);
ALTER TABLE day_note ADD PRIMARY KEY (date);
ALTER TABLE rule ADD PRIMARY KEY (name);
