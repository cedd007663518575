"""The reasons to refuse a row by itself, table by table."""

from __future__ import annotations

from dataclasses import dataclass

from etl.hours import INTERVALS

CALENDARS_FROM = "DATE '2000-01-01'"
NEAR = 1.0001
"""A close may lie so far outside the range of its session: providers round both."""
OPEN_NEAR, TOO_WIDE, MOST_SHARES = 1.01, 3, 1_000_000_000_000
"""An open may lie so far outside the range, since some take it from before the session; the range may reach so many
times beyond open and close, whichever is nearer; and no listing trades more shares in a session."""
TIMES_OFF, RATE_OFF = 100, 3
"""A share count, and an exchange rate, may be so many times the median of the others."""
LARGE_DIVIDEND = 0.2
"""A dividend of more than this share of the close before it shows in the close of its ex-date."""
TIMES_BEYOND, TIMES_BEYOND_EXTENDED, ENDS_OFF = 1.2, 1.9, 0.03
"""A bar of the session, and one before or after it, may lie so many times beyond the daily bar and the close before it;
the last bar of a session may be so far off its daily close (a fraction)."""
REPEATED = "ORDER BY position) > 1"


@dataclass(frozen=True)
class Gate:
    """A reason to refuse a row, in SQL, and the condition; of a ``firm`` one no operator can make an exception."""

    reason: str
    condition: str
    firm: bool = False


def _repeated(keys: str) -> str:
    return f"row_number() OVER (PARTITION BY {keys} {REPEATED}"


def _no_amount(column: str) -> str:
    return f"NOT coalesce({column} > 0 AND isfinite({column}), false)"


_NO_DATE = Gate("'no date'", "date IS NULL", firm=True)
_NO_COMPANY = Gate("'no company of that ticker'", "listed_currency IS NULL", firm=True)
_UNREAD = Gate("'no number: ' || unread", "unread IS NOT NULL")
_AHEAD = Gate("'it lies in the future'", "date > today + 1")
_IN = "coalesce(nullif(trim(currency), ''), 'no currency')"
_CURRENCY = Gate(
    f"'the currency is ' || {_IN} || ', not ' || listed_currency", "currency IS DISTINCT FROM listed_currency"
)
_NOT_FINITE = Gate(
    "'the open, high or low is not a finite number'",
    "NOT (isfinite(coalesce(open, 1)) AND isfinite(coalesce(high, 1)) AND isfinite(coalesce(low, 1)))",
)
_OUTSIDE = f"close > high * {NEAR} OR close < low / {NEAR}"
_BEYOND = f"CASE phase WHEN 'regular' THEN {TIMES_BEYOND} ELSE {TIMES_BEYOND_EXTENDED} END"
_NO_MOMENT = Gate("'no time of capture'", "captured_at IS NULL OR NOT isfinite(captured_at)", firm=True)
_FUTURE = Gate("'captured in the future'", "captured_at > now() + INTERVAL 1 HOUR")
_CHART = "captured_at, store, country, chart, device, evidence, source_url"

GATES: dict[str, tuple[Gate, ...]] = {
    "price_daily": (
        _NO_COMPANY,
        _NO_DATE,
        Gate("'no close'", "close IS NULL OR isnan(close)", firm=True),
        Gate("'the close is not positive'", "close <= 0 OR isinf(close)", firm=True),
        Gate("'the adjusted close is missing or not positive'", _no_amount("adj_close")),
        _UNREAD,
        _NOT_FINITE,
        Gate("'a price is not positive'", "least(open, high, low) <= 0"),
        Gate("'the high is below the low'", "high < low"),
        Gate("'the close is outside the range of its session'", _OUTSIDE),
        Gate(
            "'the open is outside the range of its session'",
            f"open > high * {OPEN_NEAR} OR open < low / {OPEN_NEAR}",
        ),
        Gate(
            f"'the high or the low is over {TOO_WIDE} times off open and close'",
            f"high > {TOO_WIDE} * greatest(open, close) OR low * {TOO_WIDE} < least(open, close)",
        ),
        Gate("'the volume is negative'", "volume < 0"),
        Gate("'the volume is over a million million shares'", f"volume > {MOST_SHARES}"),
        Gate("'from before the company''s own history, ' || history_from", "date < history_from", firm=True),
        _CURRENCY,
        Gate("'the session has not closed yet'", "date > last_closed"),
        Gate("listed_exchange || ' held no such session'", f"NOT is_session AND date >= {CALENDARS_FROM}"),
        Gate(
            "listed_exchange || ' held no such session'",
            f"date < {CALENDARS_FROM} AND (isodow(date) > 5 OR dayofyear(date) = 1 OR year(date) < 1900)",
        ),
        Gate("'a second bar of its session'", _repeated("ticker, date"), firm=True),
    ),
    "price_intraday": (
        _NO_COMPANY,
        Gate("'no time'", "starts_at IS NULL OR NOT isfinite(starts_at)", firm=True),
        Gate(
            "'no length of bars that is known'",
            f"NOT coalesce(list_contains({list(INTERVALS.values())}, minutes), false)",
            firm=True,
        ),
        Gate("'no close'", "close IS NULL OR isnan(close)", firm=True),
        Gate("'the close is not positive'", "close <= 0 OR isinf(close)", firm=True),
        _UNREAD,
        _NOT_FINITE,
        Gate("'a price is not positive'", "least(open, high, low) <= 0"),
        Gate("'the high is below the low'", "high < low"),
        Gate("'the close is outside the range of its bar'", _OUTSIDE),
        Gate("'the volume is negative'", "volume < 0"),
        _CURRENCY,
        Gate("listed_exchange || ' does not trade at that time'", "phase IS NULL", firm=True),
        Gate("'it begins between two bars'", "epoch(starts_at) % (least(minutes, 5) * 60) <> 0"),
        Gate("'the bar has not ended yet'", "starts_at + to_minutes(minutes) > asked_at", firm=True),
        Gate("'no daily close of its session is held to judge it by'", "day_close IS NULL"),
        Gate(
            "'far outside the daily bar of its session: another unit, or a split not applied?'",
            f"greatest(high, close) / day_top > {_BEYOND} OR day_bottom / least(low, close) > {_BEYOND}",
        ),
        Gate(
            "'its bars end over 3% off the daily close of the session: on another basis?'",
            f"abs(ends_at_close / day_close - 1) > {ENDS_OFF}",
        ),
        Gate("'a second bar of its time'", _repeated("ticker, minutes, starts_at"), firm=True),
    ),
    "intraday_asked": (
        Gate("'no session, or no length of bars'", "session IS NULL OR minutes IS NULL", firm=True),
    ),
    "dividend": (
        _NO_COMPANY,
        Gate("'no ex-date'", "ex_date IS NULL", firm=True),
        Gate("'the dividend is not positive'", _no_amount("amount"), firm=True),
        Gate("'a dividend in ' || " + _IN + " || ', not ' || listed_currency", _CURRENCY.condition),
        Gate("'the dividend is not less than the close before it'", "amount >= close_before", firm=True),
        Gate(
            "'the close did not fall by so large a dividend'",
            f"amount > {LARGE_DIVIDEND} * close_before AND close_on > close_before - amount / 2",
        ),
        Gate("'a second dividend of its day'", _repeated("ticker, ex_date"), firm=True),
    ),
    "split": (
        _NO_COMPANY,
        _NO_DATE,
        Gate("'the ratio of the split is not positive'", _no_amount("ratio"), firm=True),
        _AHEAD,
        Gate("'a second split of its day'", _repeated("ticker, date"), firm=True),
    ),
    "shares_outstanding": (
        _NO_DATE,
        Gate("'the share count is not positive'", "NOT coalesce(shares > 0, false)", firm=True),
        _AHEAD,
        Gate(
            f"'the share count is over {TIMES_OFF} times off the others'",
            f"greatest(shares / usual, usual / shares) >= {TIMES_OFF}",
        ),
        Gate("'a second count of its day'", _repeated("ticker, date"), firm=True),
    ),
    "exchange_rate": (
        _NO_DATE,
        Gate("'the rate is not positive'", _no_amount("usd_per_unit"), firm=True),
        _AHEAD,
        Gate(
            f"'the rate is over {RATE_OFF} times off the others'",
            f"greatest(usd_per_unit / usual, usual / usd_per_unit) >= {RATE_OFF}",
        ),
        Gate("'a second rate of its day'", _repeated("currency, date"), firm=True),
    ),
    "factor_daily": (
        _NO_DATE,
        Gate("'a factor or the risk-free rate is missing'", "mkt_rf IS NULL OR rf IS NULL", firm=True),
        _AHEAD,
        Gate(
            "'a factor is not a finite number'",
            " OR ".join(
                f"NOT isfinite(coalesce({factor}, 0))"
                for factor in ("mkt_rf", "smb", "hml", "rmw", "cma", "umd", "rf")
            ),
        ),
        Gate("'the market moved by over 40% in a day: is it in per cent?'", "abs(mkt_rf) > 0.4"),
        Gate("'a second row of its day'", _repeated("date"), firm=True),
    ),
    "ranking_capture": (_NO_MOMENT, _FUTURE, _UNREAD),
    "app_ranking": (
        _NO_MOMENT,
        _FUTURE,
        Gate("'no rank'", "rank IS NULL", firm=True),
        Gate("'the rank is not a whole number'", "unread IS NOT NULL", firm=True),
        Gate(
            "'the rank is outside 1 to ' || coalesce(CAST(depth AS VARCHAR), 'n')",
            "rank < 1 OR rank > depth",
        ),
        Gate("'an app without an id'", "app_id IS NULL AND evidence = 'measured'"),
        Gate("'an app without a name'", "app_name IS NULL"),
        Gate("'a second app of its rank'", _repeated(f"{_CHART}, rank"), firm=True),
        Gate(
            "'the app is in the chart twice'",
            f"evidence = 'measured' AND {_repeated(f'{_CHART}, app_id')}",
        ),
    ),
}
"""For each table the gates; of those that a row does not pass, the first gives the reason."""
