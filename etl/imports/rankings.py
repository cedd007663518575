"""Ranks out of a file: of which chart, at which moment, and what an absent rank says."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]

from etl.imports import numbers
from etl.imports.places import chart_parts, country, device, is_overall, store
from etl.imports.report import ImportRefusedError, ImportReport, Reading
from etl.imports.table import Table
from etl.imports.values import add_days, add_words, misplaced, set_aside
from etl.sources.apple_feed import GENRES

EVIDENCE = {
    **dict.fromkeys(("measured", "measure", "capture", "captured", "observed"), "measured"),
    **dict.fromkeys(("reported", "report", "press", "claimed", "claim", "estimate", "estimated"), "reported"),
}
_BEYOND = re.compile(r"(?:[>≥]\s*(\d+)|(\d+)\s*\+)")
_UNRANKED = frozenset(("not ranked", "unranked", "not in chart", "nr", "not listed", "out", "no rank"))
_APP_PAGE = re.compile(r"/app/|/id\d{6,}|details\?id=")
_TEXTS = ("app_id", "app_name", "publisher", "source", "source_url", "note", "confidence")


@dataclass(frozen=True)
class RankOptions:
    """What stands for the columns that a file lacks; ``zone`` is that of times without an offset."""

    store: str = "apple"
    country: str = "us"
    chart: str = "top-free"
    device: str = "iphone"
    evidence: str = "measured"
    app_name: str | None = None
    app_id: str | None = None
    zone: str = "UTC"


def ranks(
    table: Table, options: RankOptions, reading: Reading, report: ImportReport, path: str
) -> pd.DataFrame:
    """The rows of a file: file_row, the columns of ``app_ranking``, depth, ``time_known`` and ``fault``.

    A row that gives only a day stands at its midnight UTC, with ``time_known`` false.
    """
    options = _normal(options)
    _with_clock(table)
    _without_app_pages(table)
    add_days(table, "captured_at", reading, path)
    report.aside, second = set_aside(table, "captured_at", "rank", "rankings")
    moment, known = _moment(table, options.zone)
    joins = [f"LEFT JOIN dated ON dated.text = raw.{table.cell('captured_at')}"]
    cell = f"raw.{table.cell('captured_at')}"
    faults = [
        f"WHEN trim({cell}) <> '' AND dated.text IS NULL THEN '\"' || left({cell}, 40) || '\" is not a date'"
    ]
    faults = misplaced(table, second) + faults
    columns = [f"{moment} AS captured_at", f"{known} AS time_known"]
    for found in (_places(table, options), _charts(table, options), _ranks(table)):
        columns += found[0]
        joins += found[1]
        faults += found[2]
    columns += _texts(table, options, reading)
    if "app_id" in table.layout.places:
        cell = f"raw.{table.cell('app_id')}"
        spoiled = f"regexp_full_match({cell}, '\\d[.,]\\d+[eE]\\+\\d+')"
        faults.append(
            f"WHEN {spoiled} THEN 'the app id \"' || {cell} || '\" has lost its digits in a spreadsheet'"
        )
    aside = "ANTI JOIN aside ON aside.file_row = raw.file_row" if report.aside else ""
    return table.con.execute(
        f"SELECT raw.file_row, {', '.join(columns)}, CASE {' '.join(faults)} END AS fault "  # noqa: S608
        f"FROM raw {' '.join(joins)} {aside} ORDER BY raw.file_row"
    ).df()


def _normal(options: RankOptions) -> RankOptions:
    """The options in the spelling of the warehouse.

    Raises
    ------
    ImportRefusedError
        When there is no such country or chart.
    """
    place = country(options.country)
    if not place:
        raise ImportRefusedError(f"--country: {options.country[:40]!r} is not a country such as us.")
    kind, genre = chart_parts(options.chart)
    if kind is None or (genre is None and "/" in options.chart):
        raise ImportRefusedError(
            f"--chart: {options.chart[:40]!r} is not a chart such as top-free or top-free/productivity."
        )
    chart = kind + (f"/{genre}" if genre else "")
    return replace(options, country=place, chart=chart, device=device(options.device))


def _with_clock(table: Table) -> None:
    """Put the time of a column of its own behind the date."""
    if "clock" not in table.layout.places:
        return
    day, clock = table.cell("captured_at"), table.cell("clock")
    hour = rf"regexp_replace({clock}, '^(\d{{1,2}})(\.0e0)?$', '\1:00')"
    table.con.execute("ALTER VIEW raw RENAME TO undated")
    table.con.execute(
        f"CREATE TEMP VIEW raw AS SELECT * REPLACE (CASE WHEN trim({clock}) <> '' AND NOT contains({day}, ':') "  # noqa: S608
        f"THEN {day} || ' ' || {hour} ELSE {day} END AS {day}) FROM undated"
    )


def _without_app_pages(table: Table) -> None:
    """An address of the app's own page is not where the rank is from, and would tear a chart apart."""
    if "source_url" in table.layout.places and any(
        _APP_PAGE.search(text) for text in table.distinct("source_url")
    ):
        table.layout = table.layout.without("source_url")


def _moment(table: Table, zone: str) -> tuple[str, str]:
    """The SQL of a row's moment and of whether its hour is known: it is not where every time is a midnight."""
    timed = table.con.execute("SELECT 1 FROM dated WHERE NOT at_midnight LIMIT 1").fetchall()
    if not timed:
        return "timezone('UTC', CAST(dated.day AS TIMESTAMP))", "false"
    named = zone.replace("'", "''")
    local = f"timezone('{named}', dated.day + to_seconds(dated.clock))"
    day = "timezone('UTC', CAST(dated.day AS TIMESTAMP))"
    return (
        f"CASE WHEN dated.clock IS NULL THEN {day} ELSE coalesce(dated.instant, {local}) END",
        "dated.clock IS NOT NULL",
    )


Parts = tuple[list[str], list[str], list[str]]
"""Columns, joins and faults, as SQL."""


def _places(table: Table, options: RankOptions) -> Parts:
    """Store, country, device and evidence, each in one spelling."""
    columns, joins, faults = [], [], []
    for name, meaning in (
        ("store", store),
        ("country", country),
        ("device", device),
        ("evidence", lambda text: EVIDENCE.get(text.strip().casefold())),
    ):
        default = _literal(getattr(options, name))
        if name not in table.layout.places:
            columns.append(f"{default} AS {name}")
            continue
        cell = f"raw.{table.cell(name)}"
        add_words(table, f"{name}_word", table.distinct(name), meaning)
        joins.append(f"LEFT JOIN {name}_word ON {name}_word.text = {cell}")
        columns.append(
            f"CASE WHEN trim(coalesce({cell}, '')) = '' THEN {default} ELSE {name}_word.means END AS {name}"
        )
        unknown = f"trim({cell}) <> '' AND {name}_word.means IS NULL"
        faults.append(f"WHEN {unknown} THEN 'the {name} \"' || left({cell}, 40) || '\" is not known'")
    return columns, joins, faults


def _charts(table: Table, options: RankOptions) -> Parts:
    """The chart's name, from what is said of its kind and of its genre."""
    cells = [table.cell(name) if name in table.layout.places else "NULL" for name in ("chart", "genre")]
    pairs = table.con.execute(f"SELECT DISTINCT {cells[0]}, {cells[1]} FROM raw").fetchall()  # noqa: S608
    rows = [(chart, genre, *_chart(chart, genre, options.chart)) for chart, genre in pairs]
    names = ("chart_text", "genre_text", "name", "fault")
    columns = list(zip(*rows, strict=True))
    table.con.register(
        "charted", pa.table([pa.array(column, pa.string()) for column in columns], names=names)
    )
    join = " AND ".join(
        f"charted.{name} IS NOT DISTINCT FROM {'raw.' if cell != 'NULL' else ''}{cell}"
        for name, cell in zip(names, cells, strict=False)
    )
    return (
        ["charted.name AS chart"],
        [f"LEFT JOIN charted ON {join}"],
        ["WHEN charted.fault IS NOT NULL THEN charted.fault"],
    )


def _chart(chart: str | None, genre: str | None, default: str) -> tuple[str | None, str | None]:
    """The name of a chart, or why there is none."""
    default_kind, _, default_genre = default.partition("/")
    kind, of_chart = chart_parts(chart or "")
    other_kind, of_genre = chart_parts(genre or "")
    said = (chart or "").strip()
    if said and kind is None and of_chart not in GENRES and of_chart is not None:
        return None, f'the chart "{said[:40]}" is not one such as top-free or top-free/productivity'
    if kind and other_kind and kind != other_kind:
        return None, f'the chart "{said[:40]}" and the category "{(genre or "")[:40]}" contradict each other'
    if is_overall(said):
        of_genre = None  # the category is then the app's own
    if of_chart and of_genre and of_chart != of_genre:
        return None, f'the chart "{said[:40]}" and the category "{(genre or "")[:40]}" contradict each other'
    found = of_chart or of_genre
    if found is None and not said and not (genre or "").strip():
        found = default_genre or None
    return f"{kind or other_kind or default_kind}{f'/{found}' if found else ''}", None


def _ranks(table: Table) -> Parts:
    """Rank and depth; ``>200`` and ``200+`` say that the app was not among the first 200."""
    cell = f"raw.{table.cell('rank')}"
    rows = [(text, *rank_of(text)) for text in table.distinct("rank")]
    schema = (("text", pa.string()), ("value", pa.int32()), ("beyond", pa.int32()), ("fault", pa.string()))
    columns = list(zip(*rows, strict=True)) if rows else [(), (), (), ()]
    arrays = [pa.array(column, kind) for column, (_, kind) in zip(columns, schema, strict=True)]
    table.con.register("rank_word", pa.table(arrays, names=[name for name, _ in schema]))
    depth = "rank_word.beyond"
    faults = ["WHEN rank_word.fault IS NOT NULL THEN rank_word.fault"]
    joins = [f"LEFT JOIN rank_word ON rank_word.text = {cell}"]
    if "depth" in table.layout.places:
        add_words(table, "depth_word", table.distinct("depth"), _whole)
        place = f"raw.{table.cell('depth')}"
        joins.append(f"LEFT JOIN depth_word ON depth_word.text = {place}")
        depth = "coalesce(rank_word.beyond, CAST(nullif(depth_word.means, '') AS INTEGER))"
        unknown = f"{place} IS NOT NULL AND depth_word.means IS NULL"
        faults.append(
            f"WHEN {unknown} THEN 'the depth \"' || left({place}, 40) || '\" is not a whole number'"
        )
    return ["rank_word.value AS rank", f"{depth} AS depth"], joins, faults


def rank_of(text: str) -> tuple[int | None, int | None, str | None]:
    """Rank, depth that it lies beyond, and fault of a text."""
    cleaned = re.sub(r"^(#|no\.?|nr\.?(?= ?\d)|rank)\s*", "", text.strip().casefold())
    if is_unranked(cleaned):
        return None, None, None
    beyond = _BEYOND.fullmatch(cleaned)
    if beyond:
        return None, int(beyond[1] or beyond[2]), None
    value = numbers.number(cleaned)
    if value is None:
        return None, None, f'the rank "{text[:40]}" is not a number'
    if value != int(value) or abs(value) > 1e6:
        return None, None, f'the rank "{text[:40]}" is not a whole number'
    return int(value), None, None


def is_unranked(text: str) -> bool:
    """Whether a cell says that there is no rank."""
    return numbers.is_missing(text) or text.strip().casefold() in _UNRANKED


def _whole(text: str) -> str | None:
    """A whole number as digits, nothing for a missing one, None for anything else."""
    if numbers.is_missing(text):
        return ""
    value = numbers.number(text)
    return str(int(value)) if value is not None and 0 < value < 1e6 and value == int(value) else None


def _texts(table: Table, options: RankOptions, reading: Reading) -> list[str]:
    defaults = {
        "app_id": options.app_id,
        "app_name": options.app_name,
        "source": reading.source or "import",
        "source_url": "",
    }
    columns = []
    for name in _TEXTS:
        default = _literal(defaults.get(name))
        if name not in table.layout.places:
            columns.append(f"CAST({default} AS VARCHAR) AS {name}")
            continue
        plain = rf"nullif(trim(regexp_replace(raw.{table.cell(name)}, '^(\d+)(\.0)?e0$', '\1')), '')"
        columns.append(f"coalesce({plain}, {default}) AS {name}")
    return columns


def _literal(value: str | None) -> str:
    return "NULL" if value is None else "'" + value.replace("'", "''") + "'"
