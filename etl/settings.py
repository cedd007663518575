"""What an operator can set, through environment variables: a prefix and the name of the setting."""

from __future__ import annotations

import os
from base64 import b64decode
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from etl.product import PREFIX, PROJECT_ROOT, variable
from etl.signals.rate import words_to_rate


class Settings(BaseSettings):
    """Every setting with its default; `etl.product.variable` names the environment variable of each."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True)

    database: str = Field(
        default=str(PROJECT_ROOT / "data" / "market.duckdb"),
        description="A DuckDB file, or ducklake:… for a shared lake.",
    )
    data_path: str | None = Field(default=None, description="Where a DuckLake keeps its Parquet files.")
    data_dir: Path = Field(default=PROJECT_ROOT / "data", description="The folder of the bundled data.")
    cache_dir: Path = Field(
        default=PROJECT_ROOT / "data" / "cache",
        description="Where downloads and other files that save time are kept.",
    )
    history_start: date = Field(default=date(2021, 10, 1), description="First session asked for.")
    overlap_sessions: int = Field(default=10, ge=0, description="Sessions asked for again, for revisions.")
    keep_versions: int = Field(default=10, ge=2, description="Newest states kept, whatever their age.")
    keep_days: int = Field(default=1, ge=0, description="Days whose states are all kept.")
    keep_daily: int = Field(default=31, ge=0, description="Days of which one state each is kept.")
    keep_monthly: int = Field(default=12, ge=0, description="Months of which one state each is kept.")
    keep_log_days: int = Field(
        default=800,
        ge=1,
        description="Days for which revisions, settled refusals and items of runs are kept.",
    )
    keep_answers: int = Field(
        default=5,
        ge=0,
        description="Newest refreshes of each source whose raw answers are kept for refresh --replay; 0 keeps none.",
    )
    keep_answers_mb: int = Field(
        default=200, ge=1, description="Megabytes that the kept answers may take, beside the warehouse."
    )
    keep_runs: int = Field(default=2000, ge=1, description="Runs kept in the journal.")
    memory_limit: str = Field(
        default="2GB", pattern=r"^\d+ ?[KMGT]i?B$", description="Memory of one database, read or written."
    )
    lock_timeout: float = Field(default=60.0, ge=0, description="Seconds to wait for another refresh.")
    timeout: float = Field(default=20.0, gt=0, description="Seconds to wait for an answer from a source.")
    threads: int = Field(
        default=8, ge=1, le=32, description="Connections: tickers asked for at the same time."
    )
    requests_per_second: float = Field(
        default=20.0, gt=0, description="Requests that all connections together make of a source in a second."
    )
    attempts: int = Field(default=3, ge=1, le=10, description="Tries of one request before giving up.")
    max_wait: float = Field(default=60.0, ge=0, description="Longest pause in seconds between two tries.")
    ranking_countries: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("us",), description="Countries whose charts are followed, separated by commas."
    )
    ranking_charts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("top-free",), description="Charts that are followed, separated by commas; none: no chart."
    )
    signals: Annotated[float, NoDecode] = Field(
        default=12.0,
        validate_default=False,
        description="How many sessions to signal as abnormal, such as “about two a year” or “one a month”.",
    )
    dashboard_url: str = Field(
        default="", description="Where readers open the dashboard: for the links and pictures of messages."
    )
    webhook_url: SecretStr | None = Field(
        default=None,
        description="Address that gets a POST for each signal, signed as Standard Webhooks 1.0 says.",
    )
    webhook_secret: SecretStr | None = Field(
        default=None, description="Key of the signature: whsec_ and 24 to 64 bytes in base64."
    )
    signal_urls: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        default=(),
        description="Apprise addresses that get signals (mail, Slack, Teams …), separated by spaces.",
    )
    alert_command: str = Field(
        default="",
        description="Command that gets what has failed, is stale or has recovered on its standard input.",
    )
    alert_urls: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        default=(),
        description="Apprise addresses that get the same (mail, Slack, Teams …), separated by spaces.",
    )
    ranking_depth: int = Field(default=100, ge=1, le=100, description="Entries asked for in a chart.")

    @field_validator("signals", mode="before")
    @classmethod
    def _as_rate(cls, value: Any) -> Any:
        return words_to_rate(value) if isinstance(value, str) else value

    @field_validator("webhook_secret")
    @classmethod
    def _is_a_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            try:
                key = b64decode(value.get_secret_value().removeprefix("whsec_"), validate=True)
            except ValueError:
                key = b""
            if not 24 <= len(key) <= 64:
                raise ValueError("write it as whsec_ and 24 to 64 random bytes in base64")
        return value

    @field_validator("signal_urls", "alert_urls", mode="before")
    @classmethod
    def _split_spaces(cls, value: Any) -> Any:
        return tuple(value.split()) if isinstance(value, str) else value

    @field_validator("ranking_countries", "ranking_charts", mode="before")
    @classmethod
    def _split_commas(cls, value: Any) -> Any:
        if isinstance(value, str):
            parts = tuple(part.strip().lower() for part in value.split(",") if part.strip())
            return () if parts == ("none",) else parts
        return value


class DashboardSettings(BaseSettings):
    """What the dashboard takes besides."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True)

    operator: bool = Field(
        default=False,
        description="Whether everybody who opens a page is the operator, who sees the commands and the refresh button.",
    )
    operator_emails: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Operators’ addresses, separated by commas, where there is a login (Streamlit’s OpenID Connect).",
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
    def _split_addresses(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip().casefold() for part in value.split(",") if part.strip())
        return value


OTHERS = {
    variable("log_format"): "Form of the log of a command: text or json.",
    variable("soak"): "1: the long forms of the tests.",
}
"""Variables that are read elsewhere."""


@dataclass(frozen=True)
class Setting:
    """One setting: its variable, its default and present value as text, what it means, and who reads it."""

    variable: str
    default: str
    value: str
    meaning: str

    @property
    def changed(self) -> bool:
        """Whether it is not the default."""
        return self.value != self.default


def every_setting() -> list[Setting]:
    """All settings, by name; secrets are shown as set or not.

    Raises
    ------
    pydantic.ValidationError
        When one has a value that cannot be.
    """
    found = [
        Setting(
            variable(name),
            _text(field.get_default()),
            _text(getattr(read, name)),
            field.description or "",
        )
        for read in (Settings(), DashboardSettings())
        for name, field in type(read).model_fields.items()
    ]
    found += [Setting(name, "", os.environ.get(name, ""), meaning) for name, meaning in OTHERS.items()]
    return sorted(found, key=lambda setting: setting.variable)


def unknown_variables() -> dict[str, str]:
    """Variables that begin with the prefix and are not a setting, each with the setting of the nearest name, or ""."""
    known = [
        *(variable(name) for kind in (Settings, DashboardSettings) for name in kind.model_fields),
        *OTHERS,
        variable("alert_title"),
    ]
    given = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)
    return {name: next(iter(get_close_matches(name, known, 1)), "") for name in given}


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return " ".join(_text(part) for part in value)
    return "" if value is None else str(value)


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process, read from the environment once."""
    return Settings()
