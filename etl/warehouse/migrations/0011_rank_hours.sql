-- Whether the hour of a rank is known; NULL where nobody says: a report at midnight UTC then gives only its day.
ALTER TABLE ranking_capture ADD COLUMN time_known BOOLEAN;
ALTER TABLE app_ranking ADD COLUMN time_known BOOLEAN;
