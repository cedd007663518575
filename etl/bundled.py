"""Loads the data that comes with the project: companies, events, prices, share counts, reported ranks."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd

from etl import calendars, catalogue
from etl.adjust import back_adjusted
from etl.runlog import ItemLog, RunLog, new_run_id
from etl.warehouse import Warehouse
from etl.warehouse.merge import TABLES, Counts, Merge, Rules

SOURCE = "bundled"
BARS = ["ticker", "date", "open", "high", "low", "close", "adj_close", "volume", "currency", "source"]


class BundleError(Exception):
    """A file of the bundled data is missing or not in its form; the message names it."""

    exit_code = 3


def load_bundled(warehouse: Warehouse, folder: Path) -> RunLog:
    """Merge the bundled data into the warehouse and publish it.

    A ticker that a live refresh has brought keeps its rows; what the bundle no longer holds is taken out.

    Raises
    ------
    BundleError, catalogue.CatalogueError
        When a file is missing or not in its form.
    warehouse.WarehouseError
        When the warehouse cannot be written.
    """
    companies = catalogue.load_companies(folder / "companies.toml")
    currency = {company.ticker: company.currency for company in companies}
    prices, dividends = read_prices(folder / "prices", currency)
    frames = {
        "price_daily": prices,
        "dividend": dividends,
        "split": read_splits(folder / "prices" / "splits.csv"),
        "shares_outstanding": read_shares(folder / "prices" / "shares.csv"),
        **read_rankings(folder / "app_ranks.csv"),
    }
    log = RunLog(new_run_id(), SOURCE)
    with warehouse.writing() as con:
        con.begin()
        merge = Merge(con, log.run_id)
        events = catalogue.load_events(folder / "events.toml")
        known = merge_catalogue(merge, companies, events)
        received = len(companies) + len(events)
        log.items.append(
            ItemLog("catalogue", received=received, inserted=known.inserted, updated=known.updated)
        )
        for name, frame in frames.items():
            log.items.append(_load(merge, name, frame))
        log.write(con)
        con.commit()
    return log


def merge_catalogue(
    merge: Merge, companies: list[catalogue.Company], events: list[catalogue.Event]
) -> Counts:
    """Make the tables ``company`` and ``event`` equal to the catalogue files."""
    listed = pd.DataFrame([vars(company) for company in companies])
    unknown = sorted({name for name in listed["exchange"] if not calendars.is_known(name)})
    if unknown:
        raise catalogue.CatalogueError(f"companies.toml names exchanges of unknown sessions: {unknown}")
    listed["is_benchmark"] = listed["role"] == "benchmark"
    done = merge.rows("company", listed, Rules(delete="true"))
    dated = pd.DataFrame([vars(event) for event in events])
    moments = [pd.Timestamp(event.occurred_at) for event in events]
    dated["occurred_at"] = pd.to_datetime([moment.tz_convert("UTC") for moment in moments])
    dated["market_session"] = [_session(event, moment) for event, moment in zip(events, moments, strict=True)]
    dated["market_open"] = [
        event.time_known and calendars.is_open(moment) for event, moment in zip(events, moments, strict=True)
    ]
    return done + merge.rows("event", dated, Rules(delete="true"))


def _session(event: catalogue.Event, moment: pd.Timestamp) -> date:
    day = None if event.time_known else event.occurred_at.date()
    try:
        return calendars.session_of(moment, day=day)
    except calendars.UnknownSession as error:
        raise catalogue.CatalogueError(f"events.toml: event {event.event_id}: {error}") from None


def read_prices(folder: Path, currency: dict[str, str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The bundled bars (columns of ``price_daily``) and dividends, both split-adjusted."""
    closes = _read(folder / "closes.csv", ["ticker", "date", "close"], dates=["date"])
    bars = _read(folder / "bars.csv", ["ticker", "date", "open", "high", "low", "volume"], dates=["date"])
    dividends = _read(folder / "dividends.csv", ["ticker", "ex_date", "amount"], dates=["ex_date"])
    prices = closes.merge(bars.drop(columns="close", errors="ignore"), how="left", on=["ticker", "date"])
    prices = prices.sort_values(["ticker", "date"], ignore_index=True)
    paid = {ticker: rows.set_index("ex_date")["amount"] for ticker, rows in dividends.groupby("ticker")}
    none = pd.Series(dtype=float)
    prices["adj_close"] = pd.concat(
        [
            back_adjusted(rows.set_index("date")["close"], paid.get(ticker, none)).set_axis(rows.index)
            for ticker, rows in prices.groupby("ticker")
        ]
    )
    for frame in (prices, dividends):
        frame["currency"] = frame["ticker"].map(currency)
        frame["source"] = SOURCE
    return prices[BARS], dividends


def read_splits(path: Path) -> pd.DataFrame:
    """The splits whose basis the bundled closes are on, as rows of ``split``."""
    return _read(path, ["ticker", "date", "ratio"], dates=["date"]).assign(source=SOURCE)


def read_shares(path: Path) -> pd.DataFrame:
    """The bundled share counts, as rows of ``shares_outstanding``."""
    shares = _read(
        path,
        ["ticker", "shares_million", "as_of", "splits_through", "basis"],
        dates=["as_of", "splits_through"],
    )
    shares["shares"] = (shares["shares_million"] * 1_000_000).round().astype("int64")
    return shares.rename(columns={"as_of": "date"}).assign(source=SOURCE)


def read_rankings(path: Path) -> dict[str, pd.DataFrame]:
    """The reported ranks, as rows of ``app_ranking`` and ``ranking_capture``.

    A bare date stands for its midnight UTC.
    """
    columns = ["captured_at", "store", "country", "chart", "device", "rank", "app_name", "evidence"]
    points = _read(path, [*columns, "source", "source_url"], text=["app_id"])
    points["captured_at"] = pd.to_datetime(points["captured_at"], utc=True, format="ISO8601")
    points["source_url"] = points["source_url"].fillna("")
    captures = points[[*TABLES["ranking_capture"].keys, "source"]]
    captures = captures.drop_duplicates(list(TABLES["ranking_capture"].keys))
    return {"ranking_capture": captures, "app_ranking": points}


def _load(merge: Merge, name: str, frame: pd.DataFrame) -> ItemLog:
    started = time.monotonic()
    table = TABLES[name]
    removable = table.bundled_rows
    if name in ("price_daily", "dividend", "split"):
        frame = frame[~frame["ticker"].isin(_brought_by_a_refresh(merge.con))]
        removable += f" AND target.ticker NOT IN ({_LIVE_TICKERS})"
    counts = merge.rows(name, frame, Rules(table.bundled_rows, delete=removable, revisions=False))
    return ItemLog(
        name,
        received=len(frame),
        inserted=counts.inserted,
        updated=counts.updated,
        seconds=time.monotonic() - started,
    )


_LIVE_TICKERS = "SELECT ticker FROM price_daily WHERE source <> 'bundled'"


def _brought_by_a_refresh(con: duckdb.DuckDBPyConnection) -> set[str]:
    return {ticker for (ticker,) in con.execute(f"{_LIVE_TICKERS} GROUP BY ticker").fetchall()}


def _read(
    path: Path, columns: list[str], *, dates: list[str] | None = None, text: list[str] | None = None
) -> pd.DataFrame:
    kinds = dict.fromkeys(["ticker", *(text or [])], "str")
    try:
        frame = pd.read_csv(path, dtype=kinds, parse_dates=dates, keep_default_na=False, na_values=[""])
    except FileNotFoundError:
        raise BundleError(f"{path} is missing; restore it from the repository") from None
    except (ValueError, UnicodeDecodeError) as error:
        raise BundleError(f"{path} is not in its form: {error}") from error
    missing = [column for column in columns if column not in frame]
    if missing:
        raise BundleError(f"{path} lacks the columns {', '.join(missing)}")
    return frame
