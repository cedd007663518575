"""Intraday bars out of a file: at which moment each begins, and in which session and phase of its exchange."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pandas as pd

from etl import calendars
from etl.hours import placed
from etl.imports import dates
from etl.imports.listings import Listing
from etl.imports.prices import (
    PriceOptions,
    currency_of,
    figure_fault,
    figure_values,
    listed,
    listings_of,
    source_of,
)
from etl.imports.report import ImportRefusedError, ImportReport, Reading
from etl.imports.table import Table
from etl.imports.values import add_days, add_figures, figure_joins, misplaced, set_aside

FIGURES = ("open", "high", "low", "close", "volume")
EXCHANGE = "exchange"
"""The time zone that stands for the clock of the exchange of each listing."""
_COMPACT = re.compile(r"(\d{2})(\d{2})(\d{2})?")


def bars_within(
    table: Table,
    listings: dict[str, Listing],
    options: PriceOptions,
    reading: Reading,
    report: ImportReport,
    path: str,
) -> str:
    """The SQL of the file's bars in ``table.con``: file_row, the texts of day and clock, the figures, and ``fault``."""
    whose = listings_of(table, listings, options, report, path)
    figures = add_figures(table, [name for name in FIGURES if name in table.layout.places], reading, path)
    second = None
    if table.is_text("date"):
        add_days(table, "date", reading, path)
        report.aside, second = set_aside(table, "date", "close", "bars")
    faults = misplaced(table, second) + [figure_fault(table, *both) for both in figures.items()]
    currency, join = currency_of(table, figures, options, path)
    clock = (
        f"coalesce(CAST(raw.{table.cell('clock')} AS VARCHAR), '')"
        if "clock" in table.layout.places
        else "''"
    )
    aside = "ANTI JOIN aside ON aside.file_row = raw.file_row" if report.aside else ""
    return f"""
        SELECT raw.file_row, listing.ticker AS ticker,
            coalesce(CAST(raw.{table.cell("date")} AS VARCHAR), '') AS day_text,
            {clock} AS clock_text, {listed(figure_values(table, figures, FIGURES))},
            {currency} AS currency, {source_of(table, reading, path)} AS source,
            CASE {" ".join(faults)} END AS fault
        FROM raw {whose} {figure_joins(table, figures)} {join} {aside}"""  # noqa: S608


def in_their_place(
    rows: pd.DataFrame, listings: Mapping[str, Listing], options: PriceOptions, reading: Reading, path: str
) -> pd.DataFrame:
    """The rows with the columns of ``price_intraday``; what is not a moment is said in ``fault``.

    Raises
    ------
    ImportRefusedError
        When times have no zone and none was named, or the bars are of another length.
    """
    day_first = reading.day_first
    if day_first is None:
        day_first = dates.reads_day_first(rows["day_text"].unique(), path)
    texts = pd.Series(
        [_joined(*both) for both in zip(rows["day_text"], rows["clock_text"], strict=True)], index=rows.index
    )
    read = {text: dates.moment(text, day_first) for text in texts.unique()}
    parts = []
    for ticker, part in rows.groupby("ticker", dropna=False, sort=False):
        listing = listings.get(str(ticker))
        zone = calendars.time_zone(listing.exchange) if listing else "UTC"
        starts, faults = _starts(texts[part.index], read, options.zone, zone, path)
        told = part.assign(starts_at=starts, fault=part["fault"].fillna(faults))
        places = placed(listing.exchange if listing else calendars.HOME, pd.DatetimeIndex(starts))
        parts.append(told.join(places.set_index(part.index)))
    found = pd.concat(parts).assign(minutes=options.minutes)
    _refuse_another_length(found, int(options.minutes or 0), path)
    return found.drop(columns=["day_text", "clock_text"])


def _joined(day: str, clock: str) -> str:
    """Day and time as one text; a time such as 093000 with its colons."""
    if not clock.strip() or ":" in day:
        return day
    compact = _COMPACT.fullmatch(clock.strip())
    return f"{day} {':'.join(part for part in compact.groups() if part) if compact else clock}"


def _starts(
    texts: pd.Series, read: Mapping[str, dates.Moment | None], named: str | None, own: str, path: str
) -> tuple[pd.Series, pd.Series]:
    """The moments in UTC, and what is wrong with those that are none."""
    moments, faults = [], []
    for text in texts:
        found, fault, moment = read[text], None, pd.NaT
        if found is None:
            fault = f"“{text[:40]}” is not a time"
        elif found.clock is None:
            fault = f"“{text[:40]}” has no time of day"
        elif found.instant is not None:
            moment = pd.Timestamp(found.instant)
        elif named is None:
            raise ImportRefusedError(
                f"{path} has times without a time zone, such as {text[:30]}: say --timezone exchange for the clock of "
                "each listing’s exchange, or a zone such as UTC."
            )
        else:
            local = pd.Timestamp.combine(found.day, found.clock)
            zone = own if named == EXCHANGE else named
            moment = local.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
            if pd.isna(moment):
                fault = f"“{text[:40]}” is not a single moment in {zone}, whose clocks change then"
            else:
                moment = moment.tz_convert("UTC")
        moments.append(moment)
        faults.append(fault)
    stamps = pd.Series(pd.to_datetime(moments, utc=True), index=texts.index)
    return stamps, pd.Series(faults, index=texts.index, dtype=object)


def _refuse_another_length(rows: pd.DataFrame, minutes: int, path: str) -> None:
    apart = rows.sort_values("starts_at").groupby("ticker")["starts_at"].diff().dropna()
    apart = apart[apart > pd.Timedelta(0)]
    if len(apart) >= 3 and apart.min() > pd.Timedelta(minutes=minutes):
        told = round(apart.min() / pd.Timedelta(minutes=1))
        raise ImportRefusedError(
            f"The bars of {path} are {told} minutes apart, not {minutes}: say --interval {told}m."
        )
