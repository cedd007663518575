"""The tables of a study in words and figures as a page prints them: every cell is text."""

from collections.abc import Callable

import pandas as pd

from dashboard.charts import words
from dashboard.views.study_answer import Answer
from dashboard.views.study_words import spell_p

DATE, VOLATILE = "Holds: shared date", "Holds: volatile day"


def tests(answer: Answer) -> pd.DataFrame:
    """The tests, those that hold for this group first, each with its measured size; the others are quiet."""
    found = answer.tests
    shown = pd.DataFrame(
        {
            "Test": found["title"],
            "Statistic": [
                _share(value) if test == "placebo" else _decimals(value)
                for test, value in zip(found["test"], found["statistic"], strict=True)
            ],
            "df": [
                f"{df:.0f}" if pd.notna(df) and pd.notna(p) else "–"
                for df, p in zip(found["df"], found["p_value"], strict=True)
            ],
            "p": found["p_value"].map(spell_p),
            DATE: list(map(_verdict, found["valid_with_common_date"], found["size_common_date"])),
            VOLATILE: list(map(_verdict, found["valid_with_volatile_day"], found["size_volatile_day"])),
            "Why": found["note"],
        }
    )
    shown.attrs["quiet"] = [not holds for holds in found["valid_with_common_date"]]
    return shown


def donors(answer: Answer) -> pd.DataFrame:
    """The firms that the synthetic control is made of: weight, and each one's own gap when rebuilt from the others.

    Raises `NothingToShow` where there is no such control.
    """
    found = answer.rebuilt
    rows = found.donors.join(found.weights.rename("weight")).sort_values("weight", ascending=False)
    return pd.DataFrame(
        {
            "Firm outside AI": rows.index.map(answer.names),
            "Weight": rows["weight"].map(_decimals),
            "Its own gap": rows["gap"].map(_share),
            "Usual gap before": rows["deviation"].map(_share),
            "Gap / usual": rows["ratio"].map(_decimals),
            "Compared": ["yes" if compared else "no" for compared in rows["compared"]],
        }
    )


def elsewhere(found: pd.DataFrame) -> pd.DataFrame:
    """The firms on other clocks, each on the first session of its exchange that could react."""
    return pd.DataFrame(
        {
            "Company": found["name"],
            "Exchange": found["exchange"],
            "Session": [words.day(pd.Timestamp(session).date()) for session in found["session"]],
            "Raw": found["raw"].map(_share),
            "Abnormal": found["car"].map(_share),
            "95% from": found["low"].map(_share),
            "to": found["high"].map(_share),
            "p": found["p_value"].map(spell_p),
            "Placebo p": found["placebo_p"].map(spell_p),
        }
    )


def unusual(answer: Answer) -> pd.DataFrame:
    """The day's move for the volatility of its time, the spread of the firms and their volume."""
    found = answer.unusual
    return pd.DataFrame(
        {
            "What": found["name"],
            "On the day": found["value"].map(_decimals),
            "Usual": found["usual"].map(_decimals),
            "p": found["p_value"].map(spell_p),
            "Days compared": found["days"].map(words.number),
        }
    )


def left_out(answer: Answer) -> pd.DataFrame:
    """The firms that are not in the study, each with the reason."""
    found = answer.left_out
    firms = [f"{answer.names[firm]} ({firm})" if firm in answer.names else firm for firm in found["firm"]]
    return pd.DataFrame({"Firm": firms, "Reason": found["reason"]})


def own_size(answer: Answer) -> pd.DataFrame:
    """How often each test rejects on these firms' own ordinary dates; no rows where these are too few."""
    found = answer.size
    return pd.DataFrame(
        {
            "Test": found["test"].map(answer.tests.set_index("test")["title"]),
            "Rejects at 5%": found["rejected_5pct"].map(_share),
            "Standard error": found["standard_error_5pct"].map(_share),
            "Dates": found["dates"].map(words.number),
            "Without overlap": found["independent_dates"].map(words.number),
            "Holds here": ["yes" if holds else "no" for holds in found["valid_with_common_date"]],
        }
        if len(found)
        else {}
    )


TABLES: dict[str, Callable[[Answer], pd.DataFrame]] = {
    "tests": tests,
    "donors": donors,
    "elsewhere": lambda answer: elsewhere(answer.elsewhere),
    "unusual": unusual,
    "left-out": left_out,
    "own-size": own_size,
}


def _verdict(holds: bool, size: float) -> str:
    """Whether a test holds, with the size behind it."""
    return f"{'yes' if holds else 'no'} ({size:.1%})" if pd.notna(size) else "not measured"


def _decimals(value: float) -> str:
    return words.number(value, 2) if pd.notna(value) else "–"


def _share(value: float) -> str:
    return words.percent(value) if pd.notna(value) else "–"
