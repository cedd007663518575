"""What an operator can set for the dashboard: the list is in `etl.settings`, with all others."""

from functools import lru_cache

from etl.settings import DashboardSettings as Settings

__all__ = ["WAITS", "Settings", "settings"]

WAITS = "DASHBOARD_WAITS_FOR_INPUT"
"""Set by the process that builds the warehouse for a server: it serves when its input has ended."""


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process, read from the environment once."""
    return Settings()
