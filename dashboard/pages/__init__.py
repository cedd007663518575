"""The rooms of the dashboard, one file each, and what they share."""
