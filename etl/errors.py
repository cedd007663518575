"""What a person can mend: errors whose message is one sentence, and the code that a command ends with."""

from __future__ import annotations


class ProductError(Exception):
    """Something that a person can mend; the message is one sentence that names the cause and the next step."""

    exit_code = 2
    """2 where nothing was done, 3 where what was asked for, or the configuration, must be corrected."""


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
