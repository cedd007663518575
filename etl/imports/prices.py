"""Daily bars out of a file: whose they are, on which day of the exchange, in which currency."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pyarrow as pa  # type: ignore[import-untyped]

from etl import calendars
from etl.errors import nearest
from etl.imports.columns import in_parentheses, layout
from etl.imports.dates import FIRST_YEAR, LAST_YEAR
from etl.imports.listings import Listing, named_above, resolve
from etl.imports.numbers import currency_code, scale
from etl.imports.report import ImportRefusedError, ImportReport, Reading
from etl.imports.table import Table
from etl.imports.values import (
    add_days,
    add_figures,
    add_words,
    figure_joins,
    misplaced,
    set_aside,
    unreadable,
)

FIGURES = ("open", "high", "low", "close", "adj_close", "volume")
HIGHEST_PRICE, HIGHEST_VOLUME = 1e9, 1e13
_BETWEEN = re.compile(r"[\s_:|,]+(?:-\s+)?")
DOLLARS = ("USD", "HKD", "TWD", "CAD", "AUD", "SGD", "NZD")


@dataclass(frozen=True)
class PriceOptions:
    """Whose bars they are and in which currency, where the file does not say it.

    ``minutes`` is the length of intraday bars (None: they are daily), ``zone`` that of times without an offset.
    """

    ticker: str | None = None
    currency: str | None = None
    minutes: int | None = None
    zone: str | None = None


def side_by_side(table: Table, listings: dict[str, Listing]) -> None:
    """A table with columns for each company, such as ``NVDA`` or ``NVDA Volume``, becomes one with rows for each."""
    if {"close", "ticker"} & set(table.layout.places) or "date" not in table.layout.places:
        return
    date = table.layout.places["date"]
    blocks: dict[str, dict[str, int]] = {}
    besides = []
    for place, name in enumerate(table.layout.names):
        ticker, column = _meant(name, listings)
        if place != date and ticker and column not in blocks.get(ticker, {}):
            blocks.setdefault(ticker, {})[column] = place
        elif name and place != date:
            besides.append(name)
    closes = {ticker: places for ticker, places in blocks.items() if "close" in places}
    if closes:
        table.besides = besides + [
            table.layout.names[place]
            for ticker in blocks.keys() - closes.keys()
            for place in blocks[ticker].values()
        ]
        table.lengthen([date], "ticker", list(closes.items()), "prices")
        table.read_as.append(
            f"{len(closes)} companies side by side" if len(closes) > 1 else f"ticker {next(iter(closes))}"
        )


def _meant(heading: str, listings: dict[str, Listing]) -> tuple[str | None, str]:
    """The ticker that a heading names, alone or beside the name of a column, and that column: else the close."""
    ticker = resolve(heading, listings)
    if ticker:
        return ticker, "close"
    for found in _BETWEEN.finditer(heading):
        parts = [part.strip(" ()'\"") for part in (heading[: found.start()], heading[found.end() :])]
        for symbol, column in (parts, reversed(parts)):
            places = layout([column], "prices").places.keys() - {"ticker", "date"}
            ticker = resolve(symbol, listings)
            if ticker and places:
                return ticker, places.pop()
    return None, "close"


def bars(
    table: Table,
    listings: dict[str, Listing],
    options: PriceOptions,
    reading: Reading,
    report: ImportReport,
    path: str,
) -> str:
    """The SQL of the file's bars in ``table.con``: file_row, the columns of ``price_daily``, and ``fault``.

    ``listings`` say which exchange and currency a ticker has. Where the file has no
    adjusted close, the close stands in for it.
    """
    whose = listings_of(table, listings, options, report, path)
    figures = add_figures(table, [name for name in FIGURES if name in table.layout.places], reading, path)
    second = None
    if table.is_text("date"):
        add_days(table, "date", reading, path)
        report.aside, second = set_aside(table, "date", "close", "prices")
    day, day_fault = _day(table)
    faults = [day_fault] + [figure_fault(table, column, value) for column, value in figures.items()]
    faults = misplaced(table, second) + faults
    values = figure_values(table, figures)
    values["adj_close"] = f"coalesce({values['adj_close']}, {values['close']})"
    currency, currency_join = currency_of(table, figures, options, path)
    source = source_of(table, reading, path)
    dated = f"LEFT JOIN dated ON dated.text = raw.{table.cell('date')}" if table.is_text("date") else ""
    aside = "ANTI JOIN aside ON aside.file_row = raw.file_row" if report.aside else ""
    return f"""
        SELECT raw.file_row, listing.ticker AS ticker, {day} AS date, {listed(values)}, {currency} AS currency,
            {source} AS source, CASE {" ".join(fault for fault in faults if fault)} END AS fault
        FROM raw {whose} {dated} {figure_joins(table, figures)} {currency_join} {aside}"""  # noqa: S608


def figure_values(table: Table, figures: dict[str, str], names: tuple[str, ...] = FIGURES) -> dict[str, str]:
    """The SQL of each of ``names``: what the file has for it, NULL where it has none, the volume in shares."""
    values = {column: figures.get(column, "NULL::DOUBLE") for column in names}
    unit = scale(in_parentheses(table.layout.used.get("volume", "")) or "")
    return values | {"volume": f"TRY_CAST(round({values['volume']} * {unit}) AS BIGINT)"}


def listed(values: dict[str, str]) -> str:
    """The columns of a SELECT."""
    return ", ".join(f"{value} AS {column}" for column, value in values.items())


def listings_of(
    table: Table, listings: dict[str, Listing], options: PriceOptions, report: ImportReport, path: str
) -> str:
    """The join with ``listing``: the ticker of each row, its exchange's time zone and its currency."""
    said = options.ticker
    if said is not None and said.upper() not in listings:
        hint = nearest(said, listings, "add it to data/companies.toml and load that")
        raise ImportRefusedError(f"There is no company with the ticker {said[:40]!r} in the warehouse{hint}.")
    default = said.upper() if said else named_above(table.above, listings)
    texts: list[str | None] = [None]
    if "ticker" in table.layout.places:
        query = f"SELECT DISTINCT CAST({table.cell('ticker')} AS VARCHAR) FROM raw"  # noqa: S608
        texts = [text for (text,) in table.con.execute(query).fetchall()]
    elif default is None:
        raise ImportRefusedError(
            f"{path} has no column for ticker; it has {table.layout.spoken}. "
            "Say whose prices they are with --ticker, such as --ticker NVDA."
        )
    meant = {text: resolve(text, listings) if text and text.strip() else default for text in texts}
    others = sorted({ticker for ticker in meant.values() if ticker and said and ticker != default})
    if others:
        raise ImportRefusedError(
            f"--ticker says {default}, but {path} has prices of {', '.join(others)[:200]}."
        )
    if said and len(meant) == 1:
        meant = dict.fromkeys(meant, default)
    if default and "ticker" not in table.layout.places:
        table.read_as.append(f"ticker {default}" + ("" if said else ", from the lines above the table"))
    known = [(text, listings.get(ticker or "")) for text, ticker in meant.items()]
    columns = {
        "text": [text for text, _ in known],
        "ticker": [
            listing.ticker if listing else (text or "").strip().upper() or None for text, listing in known
        ],
        "zone": [calendars.time_zone(listing.exchange) if listing else "UTC" for _, listing in known],
        "listed_currency": [listing.currency if listing else None for _, listing in known],
    }
    table.con.register(
        "listing", pa.table({name: pa.array(column, pa.string()) for name, column in columns.items()})
    )
    if "ticker" not in table.layout.places:
        return "CROSS JOIN listing"
    return (
        f"LEFT JOIN listing ON listing.text IS NOT DISTINCT FROM CAST(raw.{table.cell('ticker')} AS VARCHAR)"
    )


def _day(table: Table) -> tuple[str, str]:
    """The SQL of a row's day on its exchange, and the fault of a cell that is none.

    A time with a zone that is not midnight there is a moment, and its day is the exchange's own.
    """
    cell, kind = f"raw.{table.cell('date')}", table.kind("date")
    if table.is_text("date"):
        day = (
            "CASE WHEN dated.instant IS NULL OR dated.at_midnight THEN dated.day "
            "ELSE CAST(timezone(listing.zone, dated.instant) AS DATE) END"
        )
        return (
            day,
            f"WHEN trim({cell}) <> '' AND dated.text IS NULL THEN '\"' || left({cell}, 40) || '\" is not a date'",
        )
    if kind == "TIMESTAMP WITH TIME ZONE":
        at_midnight = f"{cell} = date_trunc('day', {cell})"
        zone = f"CASE WHEN {at_midnight} THEN 'UTC' ELSE listing.zone END"
        day = f"CAST(timezone({zone}, {cell}) AS DATE)"
    else:
        day = f"TRY_CAST({cell} AS DATE)"
    years = f"BETWEEN {FIRST_YEAR} AND {LAST_YEAR}"
    return day, f"WHEN NOT coalesce(year({day}) {years}, true) THEN '\"' || {cell} || '\" is not a date'"


def figure_fault(table: Table, column: str, value: str) -> str:
    """The SQL of the fault of a cell that is not a figure of its column."""
    spoken = column.replace("adj_", "adjusted ")
    most = HIGHEST_VOLUME if column == "volume" else HIGHEST_PRICE
    said = f"left(CAST(raw.{table.cell(column)} AS VARCHAR), 40)"
    hint = f"{column}_figure.hint" if value.endswith("_figure.value") else "NULL"
    return (
        f"WHEN {hint} IS NOT NULL THEN 'the {spoken} \"' || {said} || '\" ' || {hint} "
        f"WHEN {unreadable(table, column, value)} THEN 'the {spoken} \"' || {said} || '\" is not a number' "
        f"WHEN abs({value}) > {most} THEN 'the {spoken} \"' || {said} || '\" is too large'"
    )


def currency_of(table: Table, figures: dict[str, str], options: PriceOptions, path: str) -> tuple[str, str]:
    """The SQL of a row's currency, and the join that it needs.

    Said by a column, else by the sign of the close, the heading of the close, or the option; else it is the listing's.
    """
    found, join = [], ""
    if "currency" in table.layout.places:
        cell = table.cell("currency")
        add_words(
            table,
            "currency_word",
            table.distinct("currency"),
            lambda text: currency_code(text) or text.strip() or None,
        )
        found, join = ["currency_word.means"], f"LEFT JOIN currency_word ON currency_word.text = raw.{cell}"
    if figures["close"] == "close_figure.value":
        dollars = ", ".join(f"'{code}'" for code in DOLLARS)
        found.append(
            f"CASE WHEN close_figure.sign <> '$' THEN close_figure.sign WHEN close_figure.sign = '$' AND "
            f"listing.listed_currency NOT IN ({dollars}) THEN 'USD' END"
        )
    headed = currency_code(in_parentheses(table.layout.used["close"]) or "")
    said = currency_code(options.currency) if options.currency else None
    if options.currency and not said:
        raise ImportRefusedError(f"{options.currency[:20]!r} is not a currency such as USD.")
    found += [f"'{code}'" for code in (headed, said) if code and code != "$"]
    return f"coalesce({', '.join([*found, 'listing.listed_currency'])})", join


def source_of(table: Table, reading: Reading, path: str) -> str:
    """The SQL of who a row is from."""
    default = reading.source or "import"
    texts = [default]
    if "source" in table.layout.places:
        texts += table.distinct("source")
    if any(text.strip().casefold().startswith("bundled") for text in texts):
        raise ImportRefusedError(
            f'{path}: the source "bundled" is kept for the data that comes with the project.'
        )
    literal = "'" + default.replace("'", "''") + "'"
    if "source" not in table.layout.places:
        return literal
    return f"coalesce(nullif(trim(CAST(raw.{table.cell('source')} AS VARCHAR)), ''), {literal})"
