"""`docs/reference.md` is what the code says: every command, option, setting, table, chart, page and address."""

from tests.reference import PLACE, reference


def test_the_reference_is_that_of_the_code() -> None:
    assert PLACE.read_text(encoding="utf-8") == reference(), "run `make reference`"
