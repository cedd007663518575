"""How many sessions a year may have a signal, as an operator says it."""

import math
import re
from contextlib import suppress

MOST = 120
A_YEAR = {"week": 52, "month": 12, "quarter": 4, "year": 1}
WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
NUMBERS = {word: float(number) for number, word in enumerate(WORDS, start=1)}
RATE = re.compile(r"(?:about |some )?(\S+) (?:a|an|per) (week|month|quarter|year)")


def words_to_rate(words: str) -> float:
    """Sessions a year out of words such as "about two a year", "one a month" or "0.5 a week".

    Raises
    ------
    ValueError
        When the words say no rate; the message says how to write one.
    """
    match = RATE.fullmatch(words.strip().lower())
    rate = math.nan
    if match is not None:
        with suppress(ValueError):
            rate = (NUMBERS.get(match[1]) or float(match[1])) * A_YEAR[match[2]]
    if not 0 < rate <= MOST:
        raise ValueError(
            f"{words!r} is not a rate of signals: write it as “about two a year” or “one a month”, at most "
            f"{MOST} a year"
        )
    return rate
