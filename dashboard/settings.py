"""What an operator can set for the dashboard, through environment variables that begin with `AIMI_`."""

from functools import lru_cache

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """`AIMI_ALLOW_REFRESH=1` sets `allow_refresh`, and so on; what the warehouse needs is in `etl.settings`."""

    model_config = SettingsConfigDict(env_prefix="AIMI_", env_ignore_empty=True)

    allow_refresh: bool = Field(default=False, description="Whether readers may start a refresh.")
    load_bundled: bool = Field(
        default=False,
        description="Whether a start without a warehouse builds it from the bundled data: for hosts that run nothing "
        "but the dashboard.",
    )
    look_again: float = Field(
        default=20.0,
        ge=0.5,
        description="Seconds after which an open page looks for a newly published state.",
    )


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process, read from the environment once."""
    return Settings()
