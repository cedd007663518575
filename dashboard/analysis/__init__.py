"""Figures computed from data frames: returns, dollars lost, recoveries."""
