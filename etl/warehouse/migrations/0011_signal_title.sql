ALTER TABLE signal ADD COLUMN title VARCHAR; -- what happened, in a sentence without a cause and without a full stop
