"""Pulls stock prices and app-store rankings, checks them, and publishes them as a DuckDB warehouse."""
