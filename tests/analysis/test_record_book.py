"""Which one-day moves the record book ranks, and in which order."""

import pandas as pd
import pytest

from dashboard.analysis.record_book import Records, place

DAYS = pd.to_datetime(["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05"])
MOVES = pd.DataFrame(
    {
        "ticker": list("ABCD"),
        "name": list("ABCD"),
        "date": DAYS[::-1],
        "value_change": [-5.0, -5.0, 0.0, float("nan")],
        "change": [-0.1, -0.1, 0.0, -0.9],
    }
)
REPORTED = pd.DataFrame(
    {
        "direction": ["loss", "loss", "gain"],
        "company": ["Small", "Large", "Gain"],
        "ticker": "",
        "date": DAYS[:3],
        "value_change": [-1.0, -9.0, 7.0],
        "change": [-0.1, -0.2, 0.3],
        "source": "A paper",
        "source_url": "",
    }
)
RECORDS = Records(MOVES, REPORTED, pd.DataFrame({"date": DAYS}))


def test_of_two_equal_losses_the_earlier_comes_first_and_no_loss_is_none() -> None:
    ranked = RECORDS.ranked(falls=True)
    assert ranked["name"].tolist() == ["Large", "B", "A", "Small"]
    assert ranked.index.tolist() == [1, 2, 3, 4]
    assert place(ranked, "A", DAYS[3]) == 3
    assert place(ranked, "A", DAYS[0]) is None


@pytest.mark.parametrize(
    ("least", "names"), [(0.9, ["Large", "B", "A", "Small"]), (1.0, ["Large", "B", "A"]), (5.0, ["Large"])]
)
def test_only_losses_of_more_than_the_bound_are_ranked_whoever_told_of_them(
    least: float, names: list[str]
) -> None:
    assert RECORDS.ranked(falls=True, least=least)["name"].tolist() == names
    assert RECORDS.ranked(falls=False, least=least)["name"].tolist() == ["Gain"]


def test_the_moves_up_to_a_day_are_those_of_the_day_too() -> None:
    known = RECORDS.as_of(DAYS[2])
    assert known.ranked(falls=True)["name"].tolist() == ["Large", "B", "Small"]
    assert (known.compared, known.companies, known.until) == (2, 2, DAYS[2])
