"""`python -m dashboard.event_study` on the bundled data."""

import json
import math
import sys

import pandas as pd
import pytest

from dashboard.charts.events_league import UNITS
from dashboard.data.study_inputs import groups, load_study_inputs
from dashboard.event_study import TESTS, run_study, simple_returns
from dashboard.event_study.__main__ import main
from dashboard.views.league import read_league
from etl.warehouse import connect_read_only


@pytest.fixture
def command(bundled_database, use_database, monkeypatch, capsys):
    """Run the command line in this process: exit code, standard output, standard error."""
    use_database(bundled_database)

    def run(*arguments: str):
        monkeypatch.setattr(sys, "argv", ["event_study", *arguments])
        code = main()
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def test_the_deepseek_study_is_printed_as_readable_tables(command):
    code, text, errors = command("--event", "deepseek-selloff", "--group", "chips")
    assert (code, errors) == (0, "")
    assert "Day 0 is Monday 27 January 2025" in text
    assert "group chips; benchmark SPY" in text
    assert all(test.title.split(" (")[0] in text for test in TESTS.values())
    for ticker in ("NVDA", "AVGO", "MRVL"):
        assert ticker in text
    assert "Sensitivity to the benchmark" in text
    assert "nan" not in text.lower().split()


def test_the_json_has_every_figure_of_the_study(command, bundled_database):
    code, text, _ = command("--event", "deepseek-selloff", "--group", "chips", "--json")
    figures = json.loads(text)
    assert code == 0
    assert figures["event_session"] == "2025-01-27"
    with connect_read_only(bundled_database) as con:
        inputs = load_study_inputs(con, "chips")
    spy = simple_returns(inputs.benchmarks)["SPY"]
    study = run_study(simple_returns(inputs.prices), spy, "2025-01-27")
    for name in ("tests", "car", "firms", "aar", "placebo", "abnormal_returns"):
        frame = getattr(study, name)
        rows = figures[name]
        assert len(rows) == len(frame), name
        for column in frame.select_dtypes("number"):
            got = pd.Series([math.nan if row[str(column)] is None else row[str(column)] for row in rows])
            pd.testing.assert_series_equal(
                got.astype(float), frame[column].astype(float), check_index=False, check_names=False
            )
    assert figures["estimation"] == {"first": "2024-01-11", "last": "2025-01-08", "sessions": 250}


def test_nvidia_fell_by_a_sixth_and_the_returns_use_adjusted_closes(command, bundled_database):
    _, text, _ = command("--event", "deepseek-selloff", "--tickers", "NVDA", "--json")
    raw = {row["day"]: row["NVDA"] for row in json.loads(text)["raw_returns"]}
    assert raw[0] == pytest.approx(118.42 / 142.62 - 1, abs=1e-6)
    with connect_read_only(bundled_database) as con:
        closes = con.execute(
            "SELECT date, adj_close FROM price_daily WHERE ticker = 'NVDA' ORDER BY date"
        ).df()
        inputs = load_study_inputs(con, tickers=["NVDA"])
    pd.testing.assert_series_equal(
        inputs.prices["NVDA"].reset_index(drop=True), closes["adj_close"], check_names=False
    )


def test_korean_shares_are_left_out_with_the_reason(command):
    code, text, _ = command("--event", "deepseek-selloff", "--group", "memory", "--json")
    figures = json.loads(text)
    reasons = {row["firm"]: row["reason"] for row in figures["dropped"]}
    assert code == 0
    assert reasons["000660.KS"] == "listed on XKRX, whose sessions are not New York’s"
    assert [row["firm"] for row in figures["firms"]] == ["MU"]


def test_firms_that_all_trade_in_asia_are_studied_on_their_own_sessions(command, tmp_path):
    asked = ("--event", "deepseek-selloff", "--tickers", "005930.KS,9984.T")
    code, text, _ = command(*asked, "--json")
    rows = {row["firm"]: row for row in json.loads(text)["elsewhere"]}
    assert (code, rows["005930.KS"]["session"], rows["9984.T"]["exchange"]) == (0, "2025-01-31", "XTKS")
    _, text, _ = command(*asked)
    assert "Firms on other clocks" in text
    command(*asked, "--csv", str(tmp_path))
    assert set(pd.read_csv(tmp_path / "elsewhere.csv")["firm"]) == {"005930.KS", "9984.T"}


def test_a_benchmark_of_too_short_a_history_is_left_out_by_name(command):
    _, text, _ = command("--date", "2022-06-15", "--group", "chips")
    assert "sp500-ex-ai is not among the benchmarks. The market has 98 of the 125 returns needed" in text


def test_a_weekend_date_rolls_forward_and_says_so(command):
    code, text, _ = command("--date", "2025-01-25", "--group", "chips", "--json")
    figures = json.loads(text)
    assert code == 0
    assert figures["rolled"] is True
    assert figures["event_session"] == "2025-01-27"
    assert "is not a session" in figures["notes"][0]


def test_a_history_shorter_than_the_estimation_window_is_mentioned(command):
    code, text, _ = command("--date", "2022-06-15", "--group", "chips", "--json")
    assert code == 0
    assert "instead of 250" in json.loads(text)["notes"][0]


def test_the_benchmark_check_shows_what_the_index_absorbed(command):
    _, text, _ = command("--event", "deepseek-selloff", "--json")
    check = [row for row in json.loads(text)["benchmark_check"] if row["start"] == row["end"] == 0]
    effect = {row["benchmark"]: row["caar"] for row in check}
    assert set(effect) == {"SPY", "RSP", "sp500-ex-ai", "ex-treated", "ex-treated-value"}
    assert effect["ex-treated"] < effect["sp500-ex-ai"] < effect["SPY"] < 0


@pytest.mark.parametrize("benchmark", ["RSP", "ex-treated-value"])
@pytest.mark.parametrize("model", ["mean", "market-adjusted", "market"])
def test_every_benchmark_and_model_gives_a_study(command, benchmark, model):
    code, text, _ = command(
        "--event", "deepseek-selloff", "--benchmark", benchmark, "--model", model, "--json"
    )
    assert code == 0
    assert json.loads(text)["model"] == model


def test_factor_models_read_a_file(command, tmp_path, bundled_database):
    with connect_read_only(bundled_database) as con:
        spy = simple_returns(load_study_inputs(con).benchmarks)["SPY"]
    factors = pd.DataFrame({"Mkt-RF": spy - 0.0002, "RF": 0.0002})
    factors.to_csv(tmp_path / "factors.csv", index_label="date")
    asked = ("--event", "deepseek-selloff", "--model", "capm")
    code, text, _ = command(*asked, "--factors", str(tmp_path / "factors.csv"), "--json")
    assert code == 0
    assert json.loads(text)["model"] == "capm"
    code, text, _ = command(*asked, "--json")
    assert (code, json.loads(text)["benchmark"]) == (0, "Fama and French's factors")
    code, _, error = command(*asked, "--factors", str(tmp_path / "none.csv"))
    assert code == 3
    assert "cannot be read" in error


EVENT = ("--event", "deepseek-selloff")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 3, "Give either an event"),
        ((*EVENT, "--date", "2025-01-27"), 3, "Give either an event"),
        (("--event", "nothing"), 3, "There is no event “nothing”: choose an event from the list"),
        (("--date", "tomorrow"), 3, "“tomorrow” is not a date"),
        (("--date", "1999-01-04"), 2, "outside the data"),
        ((*EVENT, "--group", "tulips"), 3, "There is no group “tulips”: choose from ai, "),
        ((*EVENT, "--tickers", "XYZ"), 3, "There is no company “XYZ”: the table company"),
        ((*EVENT, "--tickers", "0700.HK"), 2, "No firm of the group has prices on New York's sessions"),
        ((*EVENT, "--benchmark", "GOLD"), 3, "There is no benchmark “GOLD”: choose from"),
        ((*EVENT, "--model", "garch"), 3, "There is no model “garch”: choose from"),
        ((*EVENT, "--window=3"), 3, "--window takes two whole numbers"),
        ((*EVENT, "--estimation=-100,-5"), 3, "overlaps or follows the event window"),
        ((*EVENT, "--colour", "red"), 3, "No such option: --colour"),
    ],
)
def test_a_mistake_ends_in_one_sentence_and_its_exit_code(command, arguments, code, message):
    got, text, error = command(*arguments)
    assert (got, text) == (code, "")
    assert message in error
    assert error.count("\n") == 1


def test_without_a_warehouse_it_says_how_to_build_one(command, use_database, tmp_path):
    use_database(tmp_path / "none.duckdb")
    code, _, error = command(*EVENT)
    assert code == 2
    assert "load-bundled" in error


def test_one_window_gaps_a_minimum_and_other_events_can_be_chosen(command):
    asked = (*EVENT, "--tickers", "NVDA", "--window", "0,0", "--gaps", "trade-to-trade")
    code, text, _ = command(*asked, "--min-observations", "100", "--exclude-events", "--json")
    figures = json.loads(text)
    assert (code, figures["windows"]) == (0, [[0, 0]])
    assert figures["estimation"]["sessions"] < 250
    assert {row["where"] for row in figures["other_events"]} >= {"event window", "estimation window"}
    code, _, error = command(*EVENT, "--gaps", "fill")
    assert (code, "gaps" in error) == (3, True)


def test_a_study_is_written_as_files(command, tmp_path):
    code, text, _ = command(*EVENT, "--group", "chips", "--csv", str(tmp_path / "study"))
    assert code == 0
    assert "tables are in" in text
    tests = pd.read_csv(tmp_path / "study" / "tests.csv")
    assert {"valid_with_common_date", "valid_with_volatile_day", "size_common_date"} <= set(tests)


def test_a_benchmark_of_the_studied_firms_is_refused(command):
    code, text, error = command(*EVENT, "--benchmark", "equal-weight")
    assert (code, text) == (2, "")
    assert "treated by the event" in error


def test_groups_have_short_names(bundled_database):
    with connect_read_only(bundled_database) as con:
        known = groups(con)
        chips = load_study_inputs(con, "chips").prices
    assert next(iter(known)) == "ai"
    assert known["chips"] == "AI chips"
    assert known["foundry-and-equipment"] == "Foundry and equipment"
    assert {"NVDA", "AMD", "AVGO"} <= set(chips.columns)


def test_the_league_has_a_row_for_each_event_and_every_column(command, tmp_path):
    path = tmp_path / "league.csv"
    code, text, errors = command("--events", "all", "--csv", str(path))
    assert (code, errors) == (0, "")
    table = pd.read_csv(path)
    assert f"{len(table)} events" in text.replace("\n", "")
    assert table.loc[0, "event"] == "deepseek-selloff"
    with connect_read_only() as con:
        told = read_league(con)
    assert len(table) == len(told.table)
    assert list(table.columns) == list(UNITS.values())
    written = table.set_index("event").loc[told.table.index]
    for name in ("abnormal", "abnormal_0_1", "value_change", "lead_change", "share", "p", "p_holm", "p_bh"):
        assert written[UNITS[name]].tolist() == pytest.approx(told.table[name].tolist(), nan_ok=True)
    ranked = table["kind"] != "confounder"
    assert ranked.is_monotonic_decreasing  # confounders come last
    assert table.loc[~ranked, "p, Holm"].isna().all()


def test_what_explains_who_lost_and_what_would_have_been_are_those_of_the_page(command, tmp_path):
    asked = ("--event", "deepseek-selloff", "--cross-section", "--synthetic")
    code, text, _ = command(*asked, "--json")
    figures = json.loads(text)
    slopes = {row["name"]: row for row in figures["cross_section"]}
    assert (code, slopes["beta"]["firms"], slopes["Software"]["base"]) == (0, 43, "Servers and networking")
    assert slopes["beta"]["slope"] == pytest.approx(-0.0411, abs=1e-4)
    day = next(row for row in figures["synthetic"] if row["day"] == 0)
    assert day["gap"] == pytest.approx(-0.0926, abs=1e-4)
    assert {"JNJ", "NFLX"} <= {row["firm"] for row in figures["synthetic_firms"]}
    command(*asked, "--csv", str(tmp_path))
    assert {"cross-section.csv", "synthetic.csv", "synthetic-firms.csv"} <= {
        each.name for each in tmp_path.iterdir()
    }
    _, text, _ = command(*asked)
    assert "segments against Servers and networking" in text.replace("\n", " ").replace("  ", " ")
    code, _, errors = command("--event", "ibm-cobol", "--tickers", "IBM", "--cross-section")
    assert (code, "1 firm is too few" in errors) == (2, True)


def test_figures_of_ones_own_are_taken_for_the_cross_section_alone(command, tmp_path):
    firms = ["NVDA", "AMD", "AVGO", "MU", "ORCL", "MSFT", "GOOGL", "META", "AMZN", "AAPL", "CRM", "NOW"]
    firms += ["INTC", "TSM", "ASML", "DELL"]
    own = tmp_path / "own.csv"
    own.write_text("ticker,AI share\n" + "".join(f"{firm},{at % 5}\n" for at, firm in enumerate(firms)))
    asked = ("--event", "deepseek-selloff", "--tickers", ",".join(firms), "--regressor", str(own))
    code, text, _ = command(*asked, "--cross-section", "--json")
    slopes = {row["name"]: row for row in json.loads(text)["cross_section"]}
    assert (code, slopes["AI share"]["firms"]) == (0, 16)
    code, _, errors = command(*asked)
    assert (code, "--regressor would do nothing without --cross-section" in errors) == (3, True)


def test_the_league_of_one_kind_is_printed(command):
    code, text, _ = command("--events", "all", "--kind", "earnings")
    assert code == 0
    assert "nvidia-q1-fy2024" in text
    assert "deepseek-selloff" not in text
    assert "Benjamini" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--events", "some"), "There is no set of events “some”"),
        (("--events", "all", "--kind", "earning"), "the nearest is earnings"),
        (("--events", "all", "--event", "gpt-5"), "--event would do nothing beside --events"),
        (("--events", "all", "--group", "memory", "--model", "mean"), "--group, --model would do nothing"),
        (("--events", "all", "--window", "0,1"), "--window would do nothing"),
        (("--size-table", "--tickers", "NVDA"), "--tickers would do nothing beside --size-table"),
        (("--kind", "earnings"), "--kind would do nothing without --events all"),
        (
            ("--event", "gpt-5", "--tickers", "005930.KS", "--synthetic"),
            "--synthetic would do nothing for firms on other clocks",
        ),
        (("--events", "all", "--csv", "/no/such/folder/league.csv"), "cannot be written"),
    ],
)
def test_what_the_league_cannot_do_is_refused_in_one_sentence(command, arguments, words):
    code, _, errors = command(*arguments)
    assert code == 3
    assert words in errors.replace("\n", " ")
