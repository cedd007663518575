"""A name that nobody knows is refused in one sentence that quotes it and names the nearest."""

import duckdb
import pytest

from dashboard.data.naming import UnknownName, event_named, labelled, resolve, tickers_named
from dashboard.views.registry import CHARTS, HEEDS
from dashboard.views.request import NothingToShow, Request


def test_names_are_found_in_any_case_and_by_what_they_are_called(con: duckdb.DuckDBPyConnection) -> None:
    assert tickers_named(con, ["nvda", "Nvidia", "AMD"]) == ("NVDA", "AMD")
    assert event_named(con, "DEEPSEEK-SELLOFF").event_id == "deepseek-selloff"


def test_an_unknown_name_gets_the_nearest(con: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(UnknownName, match=r"There is no company “NVDAA”; the nearest is NVDA \(NVIDIA\)"):
        tickers_named(con, ["NVDAA"])
    with pytest.raises(UnknownName, match=r"There is no theme “zzz”: choose from light, dark\."):
        resolve("theme", "zzz", ["light", "dark"])


def test_a_fund_whose_name_holds_its_ticker_is_not_told_twice() -> None:
    assert labelled("Nasdaq-100 (QQQ)", "QQQ") == "Nasdaq-100 (QQQ)"
    assert labelled("NVIDIA", "NVDA") == "NVIDIA (NVDA)"


@pytest.mark.parametrize("name", CHARTS)
def test_no_chart_draws_another_event_company_or_setting_than_was_asked(
    con: duckdb.DuckDBPyConnection, name: str
) -> None:
    with pytest.raises(NothingToShow, match="There is no option “nokey”"):
        CHARTS[name](con, Request(options=(("nokey", "1"),)))
    if HEEDS[name].event:
        with pytest.raises(NothingToShow, match="There is no event “deepseek”"):
            CHARTS[name](con, Request("deepseek"))
    if HEEDS[name].tickers:
        with pytest.raises(NothingToShow, match=r"There is no (company|app) “nope”"):
            CHARTS[name](
                con, Request(tickers=("NVDA", "nope") if HEEDS[name].tickers == "company" else ("nope",))
            )
