"""What an operator can set for the dashboard, through environment variables that begin with `AIMI_`."""

from functools import lru_cache
from typing import Annotated, Any

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class Settings(BaseSettings):
    """`AIMI_ALLOW_REFRESH=1` sets `allow_refresh`, and so on; what the warehouse needs is in `etl.settings`."""

    model_config = SettingsConfigDict(env_prefix="AIMI_", env_ignore_empty=True)

    operator: bool = Field(
        default=False,
        description="Whether everybody who opens a page is the operator: told the commands, given the refresh button.",
    )
    operator_emails: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Addresses of operators, by comma, for a dashboard with a login (Streamlit’s OpenID Connect).",
    )
    frame_ancestors: str = Field(
        default="'self'",
        pattern=r"^[^;\r\n]+$",
        description="Who may show the pages in a frame, as Content-Security-Policy spells it.",
    )
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

    @field_validator("operator_emails", mode="before")
    @classmethod
    def _split_commas(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip().casefold() for part in value.split(",") if part.strip())
        return value


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process, read from the environment once."""
    return Settings()
