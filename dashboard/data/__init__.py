"""Reads published warehouse states: SQL in, data frames out."""
