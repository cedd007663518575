"""Numbered SQL migrations; those that end in ``.file.sql`` need constraints that a DuckLake does not have."""
