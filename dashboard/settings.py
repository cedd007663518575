"""What an operator can set for the dashboard: the list is in `etl.settings`, with all others."""

from functools import lru_cache

from etl.settings import DashboardSettings as Settings

__all__ = ["Settings", "settings"]


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process, read from the environment once."""
    return Settings()
