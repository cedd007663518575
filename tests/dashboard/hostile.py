"""Query strings that no page was made for."""

import random

Query = dict[str, str | list[str]]

DAYS = (
    "0001-01-01",
    "9999-12-31",
    "2025-02-30",
    "-9999-01-01",
    "2025-01-27T25:61",
    "27/01/2025",
    "1969-12-31",
)
NUMBERS = ("0", "-1", "1e400", "nan", "inf", "-0.0", "99999999999999999999999999", "0x10", "٣", "1,5")
TICKERS = ("ZZZZ", "nvda", "NVDA,ZZZZ", "BRK.B", "000660.KS", "^GSPC", "NVDA NVDA", "NVDA|AMD")
SQL = (
    "'; DROP TABLE price_daily; --",
    "1 OR 1=1",
    "deepseek-selloff' UNION SELECT * FROM duckdb_settings() --",
    "$event",
    "?",
    "COPY company TO '/tmp/x'",
)
MARKUP = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "](javascript:alert(1))",
    ":red[x] $\\frac{1}{0}$ `code`",
    "%3Cscript%3E",
    "{{7*7}} ${7*7} %s %n {0}",
)
ODD = (
    "",
    " ",
    "\u0000",
    "\ud7ff\ufffe",
    "🐋" * 50,
    "\u202eevil",
    "a\r\nSet-Cookie: x=1",
    "../../etc/passwd",
    "null",
    "[]",
    "true",
)
LONG = ("a" * 100_000, "NVDA," * 20_000, "<b>" * 30_000)
VALID = (
    "deepseek-selloff",
    "day",
    "dates",
    "NVDA",
    "QQQ",
    "price",
    "volume",
    "max",
    "2025-01-27",
    "true",
    "own",
    "us",
)
VALUES = (DAYS, NUMBERS, TICKERS, SQL, MARKUP, ODD, VALID)
NAMES = ("event", "day", "from", "to", "embed", "theme", "__proto__", "a" * 200, "x[]", "ünï")


def queries(names: list[str], count: int, seed: int) -> list[Query]:
    """So many query strings, the same for a seed: one to six parameters each, some repeated, a few very long."""
    chance = random.Random(seed)
    pool = [*names, *names, *NAMES]

    def value() -> str:
        return chance.choice(LONG if chance.random() < 0.03 else chance.choice(VALUES))

    def values() -> str | list[str]:
        return value() if chance.random() < 0.7 else [value() for _ in range(chance.randint(2, 12))]

    return [{chance.choice(pool): values() for _ in range(chance.randint(1, 6))} for _ in range(count)]
