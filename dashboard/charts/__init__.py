"""Pure functions from data frames to charts in the house style."""
