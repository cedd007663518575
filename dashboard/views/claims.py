"""The claims, checked: each sentence of the coverage beside the computed figure, how it came about, and a verdict."""

from collections.abc import Callable
from dataclasses import dataclass

from dashboard.analysis.record_book import Records
from dashboard.data.claims import Claim
from dashboard.views import claims_records, claims_values
from dashboard.views.claims_ranks import coincided, overtook, still_first
from dashboard.views.story import Story
from dashboard.views.verdicts import FAILS, HOLDS, IN_PART, UNKNOWN, Outcome

__all__ = ["CHECKS", "FAILS", "HOLDS", "IN_PART", "UNKNOWN", "Checked", "check"]


@dataclass(frozen=True)
class Checked:
    """A claim with our figure, how it was computed, and the verdict (one of four)."""

    claim: Claim
    verdict: str
    figure: str
    how: str


def check(claim: Claim, story: Story, records: Records) -> Checked:
    """Put one claim to the test on the figures of a story."""
    verdict, figure, how = CHECKS[claim.check](claim, story, records)
    return Checked(claim, verdict, figure, how)


CHECKS: dict[str, Callable[[Claim, Story, Records], Outcome]] = {
    "amount": claims_values.amount,
    "more-than": claims_values.more_than,
    "together": claims_values.together,
    "together-more-than": claims_values.together_more_than,
    "percent": claims_values.percent,
    "rank": claims_records.rank,
    "own-record": claims_records.own_record,
    "largest-since": claims_records.largest_since,
    "first-above": claims_records.first_above,
    "overtook": overtook,
    "coincided": coincided,
    "still-first": still_first,
}
"""What does each check of `dashboard.data.claims.NEEDS`."""
