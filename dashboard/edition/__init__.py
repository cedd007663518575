"""What goes out as pages that need no program behind them: the static edition, and the month's report."""
