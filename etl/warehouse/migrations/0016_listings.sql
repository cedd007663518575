ALTER TABLE company ADD COLUMN IF NOT EXISTS listing VARCHAR;  -- what trades where the shares themselves are at home elsewhere, such as ADR
ALTER TABLE company ADD COLUMN IF NOT EXISTS home VARCHAR;     -- the exchange where they are; NULL: nowhere else
ALTER TABLE company ADD COLUMN IF NOT EXISTS sp500_from DATE;  -- member of the S&P 500 from then on; NULL: never
