"""Loads the data that comes with the project: companies, events, prices, share counts, reported ranks."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from etl import calendars, catalogue
from etl.adjust import back_adjusted
from etl.errors import ProductError
from etl.runlog import ItemLog, RunLog, new_run_id
from etl.settings import settings
from etl.signals.store import notice
from etl.warehouse import Warehouse
from etl.warehouse.merge import TABLES, Counts, Merge, Rules

SOURCE = "bundled"
ONE_HISTORY = "bundled, one history"
ONE_BAR = "bundled, bar of one history"
ONE_SOURCE = "bundled, one source"
"""Sources of rows of the bundle: ``bundled`` was confirmed by a second history or source; all begin with it."""
BARS = ["ticker", "date", "open", "high", "low", "close", "adj_close", "volume", "currency", "source"]


class BundleError(ProductError):
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
    known = catalogue.load(folder)
    prices, dividends = read_prices(folder / "prices", known.companies)
    frames = {
        "price_daily": prices,
        "dividend": dividends,
        "split": read_splits(folder / "prices" / "splits.csv"),
        "shares_outstanding": read_shares(folder / "prices" / "shares.csv"),
        "exchange_rate": read_rates(folder / "prices" / "rates.csv"),
        "factor_daily": read_factors(folder / "prices" / "factors.csv"),
        "reported_move": read_moves(folder / "reported_moves.csv"),
        "day_note": read_day_notes(folder / "day_notes.csv"),
        **read_rankings(folder),
    }
    log = RunLog(new_run_id(warehouse), SOURCE)
    with warehouse.writing() as con:
        con.begin()
        merge = Merge(con, log.run_id)
        done = merge_catalogue(merge, known)
        received = len(known.companies) + len(known.events) + len(known.rules)
        log.items.append(
            ItemLog("catalogue", received=received, inserted=done.inserted, updated=done.updated)
        )
        for name, frame in frames.items():
            log.items.append(_load(merge, name, frame))
        if warehouse.commits_stay_private:  # only then do DuckDB's plans know how many rows there are
            con.commit()
            con.begin()
        found = notice(con, log.run_id, pd.Timestamp.now("UTC"), settings().signals)
        log.items.append(ItemLog("signals", inserted=found.new, updated=found.corrected + found.withdrawn))
        log.write(con)
        con.commit()
    return log


def merge_catalogue(merge: Merge, known: catalogue.Catalogue) -> Counts:
    """Make the tables ``company``, ``event`` and ``rule`` equal to the catalogue files.

    Prices from before a company's ``history_from`` are taken out: they are not its own.
    """
    listed = pd.DataFrame([vars(company) for company in known.companies])
    listed["is_benchmark"] = listed["role"].isin(("benchmark", "index"))
    done = merge.rows("company", listed, Rules(delete="true"))
    merge.con.execute(
        "DELETE FROM price_daily USING company "
        "WHERE company.ticker = price_daily.ticker AND price_daily.date < company.history_from"
    )
    rules = pd.DataFrame(known.rules.items(), columns=["name", "text"], dtype="object")
    done += merge.rows("rule", rules, Rules(delete="true"))
    dated = pd.DataFrame([vars(event) for event in known.events])
    moments = [pd.Timestamp(event.occurred_at) for event in known.events]
    dated["occurred_at"] = pd.to_datetime([moment.tz_convert("UTC") for moment in moments])
    dated["lead"] = dated["lead"].replace("", None)
    pairs = list(zip(known.events, moments, strict=True))
    dated["market_session"] = [_session(event, moment) for event, moment in pairs]
    dated["market_open"] = [event.time_known and calendars.is_open(moment) for event, moment in pairs]
    return done + merge.rows("event", dated, Rules(delete="true"))


def _session(event: catalogue.Event, moment: pd.Timestamp) -> date:
    day = None if event.time_known else event.occurred_at.date()
    try:
        return calendars.session_of(moment, day=day)
    except calendars.UnknownSession as error:
        raise catalogue.CatalogueError(f"events.toml: event {event.event_id}: {error}") from None


def read_prices(folder: Path, companies: Sequence[catalogue.Company]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The bundled bars (columns of ``price_daily``) and dividends, both split-adjusted.

    Only companies of the catalogue count, each from its ``history_from``.
    """
    listed = {company.ticker: company for company in companies}
    prices = _parquet(folder / "daily.parquet")
    dividends = _read(
        folder / "dividends.csv", ["ticker", "ex_date", "amount", "histories"], dates=["ex_date"]
    )
    begins = {company.ticker: pd.Timestamp(company.history_from or "1900-01-01") for company in companies}
    prices = prices[prices["date"] >= prices["ticker"].map(begins)]
    dividends = dividends[dividends["ticker"].isin(listed)]
    prices = prices.sort_values(["ticker", "date"], ignore_index=True)
    paid = {ticker: rows.set_index("ex_date")["amount"] for ticker, rows in dividends.groupby("ticker")}
    prices["adj_close"] = pd.concat(
        [
            back_adjusted(rows.set_index("date")["close"], paid.get(ticker, pd.Series(dtype=float)))
            for ticker, rows in prices.groupby("ticker")
        ]
    ).to_numpy()
    prices["source"] = SOURCE
    prices.loc[prices["bar_histories"] == 1, "source"] = ONE_BAR
    prices.loc[prices["histories"] == 1, "source"] = ONE_HISTORY
    dividends = dividends.assign(source=np.where(dividends["histories"] > 1, SOURCE, ONE_HISTORY))
    currency = {ticker: company.currency for ticker, company in listed.items()}
    prices["currency"] = prices["ticker"].map(currency)
    dividends["currency"] = dividends["ticker"].map(currency)
    return prices[BARS], dividends


def _parquet(path: Path) -> pd.DataFrame:
    if not path.exists():
        raise BundleError(f"{path} is missing; restore it from the repository")
    try:
        with duckdb.connect() as con:
            con.execute("SET TimeZone = 'UTC'")
            return con.execute("FROM read_parquet($path)", {"path": str(path)}).df()
    except duckdb.Error as error:
        raise BundleError(f"{path} is not in its form: {str(error).splitlines()[0]}") from error


def read_splits(path: Path) -> pd.DataFrame:
    """The splits whose basis the bundled closes are on, as rows of ``split``."""
    return _read(path, ["ticker", "date", "ratio"], dates=["date"]).assign(source=SOURCE)


def read_shares(path: Path) -> pd.DataFrame:
    """The bundled share counts, as rows of ``shares_outstanding``, each on the split basis of its day."""
    shares = _read(
        path,
        ["ticker", "shares_million", "as_of", "filed", "splits_through", "form", "confidence", "basis"],
        dates=["as_of", "filed", "splits_through"],
    )
    shares["shares"] = (shares["shares_million"] * 1_000_000).round().astype("int64")
    shares["source"] = np.where(shares["confidence"] == "C", ONE_SOURCE, SOURCE)
    return shares.rename(columns={"as_of": "date"})


def read_rates(path: Path) -> pd.DataFrame:
    """The exchange rates, as rows of ``exchange_rate``: US dollars for one unit."""
    rates = _read(path, ["currency", "date", "per_usd"], dates=["date"])
    return rates.assign(usd_per_unit=1 / rates["per_usd"], source=SOURCE)


def read_factors(path: Path) -> pd.DataFrame:
    """Fama and French's daily factors, as rows of ``factor_daily``: the file has per cent, the table fractions."""
    columns = list(TABLES["factor_daily"].values[:-1])
    factors = _read(path, ["date", *columns, "histories"], dates=["date"])
    factors[columns] = factors[columns] / 100
    return factors.assign(source=np.where(factors["histories"] > 1, SOURCE, ONE_HISTORY))


def read_rankings(folder: Path) -> dict[str, pd.DataFrame]:
    """The reported ranks and the measured captures, as rows of ``app_ranking`` and ``ranking_capture``.

    A bare date stands for its midnight UTC. Of a capture only the first ranks and the AI apps below them were written
    down: its ``depth`` is how far the ranks are complete, so that what lies deeper is not said to be absent.
    """
    columns = ["captured_at", "store", "country", "chart", "device", "rank", "app_name", "evidence"]
    needed = [*columns, "source", "source_url", "confidence"]
    reported = _read(folder / "app_ranks.csv", needed, text=["app_id", "confidence"])
    reported["captured_at"] = pd.to_datetime(reported["captured_at"], utc=True, format="ISO8601")
    reported["source_url"] = reported["source_url"].fillna("")
    measured = _parquet(folder / "app_captures.parquet").assign(evidence="measured")
    measured["note"] = (
        "of the capture's "
        + measured["held"].astype(str)
        + " apps the first "
        + measured["depth"].astype(str)
    ) + " and the AI apps below them were written down"
    points = pd.concat([reported, measured], ignore_index=True)
    keys = list(TABLES["ranking_capture"].keys)
    return {
        "ranking_capture": points[[*keys, "depth", "source"]].drop_duplicates(keys),
        "app_ranking": points,
    }


def read_moves(path: Path) -> pd.DataFrame:
    """The press's record book, as rows of ``reported_move``: changes as fractions, value in US dollars."""
    columns = ["direction", "date", "company", "ticker", "change_percent", "value_change_usd_bn"]
    moves = _read(path, [*columns, "source", "source_url", "confidence"], dates=["date"])
    return moves.assign(change=moves["change_percent"] / 100, value_change=moves["value_change_usd_bn"] * 1e9)


def read_day_notes(path: Path) -> pd.DataFrame:
    """What happened on days of large moves, as rows of ``day_note``."""
    return _read(path, ["date", "cause", "explanation", "source", "source_url", "confidence"], dates=["date"])


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


_LIVE_TICKERS = "SELECT ticker FROM price_daily WHERE source NOT LIKE 'bundled%'"


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
