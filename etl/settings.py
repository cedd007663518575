"""What an operator can set, through environment variables that begin with ``AIMI_``."""

from __future__ import annotations

from base64 import b64decode
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from etl.signals.rate import words_to_rate

PROJECT_ROOT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """Every setting with its default; ``AIMI_DATABASE=/srv/market.duckdb`` sets ``database``, and so on."""

    model_config = SettingsConfigDict(env_prefix="AIMI_", env_ignore_empty=True)

    database: str = Field(
        default=str(PROJECT_ROOT / "data" / "market.duckdb"),
        description="A DuckDB file, or ducklake:… for a shared lake.",
    )
    data_path: str | None = Field(default=None, description="Where a DuckLake keeps its Parquet files.")
    data_dir: Path = Field(default=PROJECT_ROOT / "data", description="The folder of the bundled data.")
    cache_dir: Path = Field(default=PROJECT_ROOT / "data" / "cache", description="What saves time.")
    history_start: date = Field(default=date(2021, 10, 1), description="First session asked for.")
    overlap_sessions: int = Field(default=10, ge=0, description="Sessions asked for again, for revisions.")
    keep_versions: int = Field(default=10, ge=2, description="Newest states kept, whatever their age.")
    keep_days: int = Field(default=1, ge=0, description="Days whose states are all kept.")
    keep_daily: int = Field(default=31, ge=0, description="Days of which one state each is kept.")
    keep_monthly: int = Field(default=12, ge=0, description="Months of which one state each is kept.")
    keep_runs: int = Field(default=2000, ge=1, description="Runs kept in the journal.")
    memory_limit: str = Field(
        default="2GB", pattern=r"^\d+ ?[KMGT]i?B$", description="Of a writer's database."
    )
    lock_timeout: float = Field(default=60.0, ge=0, description="Seconds to wait for another refresh.")
    timeout: float = Field(default=20.0, gt=0, description="Seconds to wait for an answer from a source.")
    threads: int = Field(default=4, ge=1, le=16, description="Tickers asked for at the same time.")
    attempts: int = Field(default=3, ge=1, le=10, description="Tries of one request before giving up.")
    max_wait: float = Field(default=60.0, ge=0, description="Longest pause in seconds between two tries.")
    ranking_countries: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("us",), description="Countries whose charts are followed, by comma."
    )
    ranking_charts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("top-free",), description="Charts that are followed, by comma; none: no chart."
    )
    signals: Annotated[float, NoDecode] = Field(
        default=12.0,
        validate_default=False,
        description="How many sessions are to be signalled as abnormal, such as “about two a year” or “one a month”.",
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
        description="Apprise addresses that are told of signals (mail, Slack, Teams …), by spaces.",
    )
    alert_command: str = Field(
        default="", description="Command that gets what has failed, is stale or has recovered, as its input."
    )
    alert_urls: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        default=(), description="Apprise addresses that are told the same (mail, Slack, Teams …), by spaces."
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


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process, read from the environment once."""
    return Settings()
