"""What a person can mend: errors whose message is one sentence, and the code that a command ends with."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches

MOST_CHOICES = 24


class ProductError(Exception):
    """Something that a person can mend; the message is one sentence that names the cause and the next step.

    Where the next step is for the operator alone it is not in the message but in `step`: a sentence with a command
    between back quotes.
    """

    exit_code = 2
    """2 where nothing was done, 3 where what was asked for, or the configuration, must be corrected."""

    def __init__(self, sentence: str = "", step: str = "") -> None:
        """Say what is missing or wrong, and what the operator can do about it."""
        super().__init__(sentence)
        self.step = step

    @property
    def in_full(self) -> str:
        """The message, with the operator's next step where there is one."""
        return f"{self} {self.step}".rstrip()


class UsageError(ProductError):
    """What was asked for makes no sense; the message says what to change."""

    exit_code = 3


class ConfigurationError(ProductError):
    """A setting cannot be used; the message names it."""

    exit_code = 3


def first_line(error: BaseException) -> str:
    """What an error says in its first line; the name of its kind where it says nothing."""
    said = getattr(error, "strerror", None) or str(error)
    return str(said).strip().split("\n")[0] or type(error).__name__


def nearest(word: str, known: Collection[str], otherwise: str = "") -> str:
    """The end of a refusal: the nearest right word, else what to do, or the choices where they are few."""
    by_fold = {name.casefold(): name for name in sorted(known)}
    near = get_close_matches(word.casefold(), by_fold, n=1)
    if near:
        return f"; the nearest is {by_fold[near[0]]}"
    if otherwise:
        return f": {otherwise}"
    return f": choose from {', '.join(sorted(known))}" if len(known) <= MOST_CHOICES else ""
