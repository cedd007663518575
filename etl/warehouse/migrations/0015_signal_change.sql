ALTER TABLE signal ADD COLUMN IF NOT EXISTS title VARCHAR;
ALTER TABLE signal ADD COLUMN IF NOT EXISTS withdrawn_for VARCHAR; -- "revised": by the data; "setting": by another rate
