"""SQL that the writing and the reading side share: who is an AI company on a day, and what a day cost in dollars."""

OLD_COUNT_DAYS = 400
RATE_DAYS = 10


def ai_on(day: str) -> str:
    """The rule, in SQL, by which a row of `company` has the role AI on a day; `day` is SQL for that day.

    Everything that chooses the AI companies of a day uses it: role AI counts from `ai_from`, or else from the first
    session that has a return. `day` is a parameter or a column, never text from outside.
    """
    return f"(company.role = 'AI' AND coalesce(company.ai_from <= {day}, true))"


_COUNTS = """
    counts AS (
        SELECT held.ticker, coalesce(filed, held.date) AS known, held.date AS as_of, filed, form, basis,
            shares * coalesce(product(ratio), 1) AS shares
        FROM shares_outstanding AS held
        LEFT JOIN split ON split.ticker = held.ticker AND split.date > coalesce(splits_through, held.date)
        GROUP BY held.ticker, held.date, filed, form, basis, shares
        QUALIFY row_number() OVER (PARTITION BY held.ticker, known ORDER BY as_of DESC) = 1
    )"""
"""Each share count with the day it was known, on the split basis of the closes."""


def _moves(prices: str) -> str:
    return f"""
    WITH {_COUNTS}, moves AS (
        SELECT ticker, date, lag(date) OVER in_time AS before, close, lag(close) OVER in_time AS close_before,
            adj_close / lag(adj_close) OVER in_time - 1 AS change
        FROM {prices} WINDOW in_time AS (PARTITION BY ticker ORDER BY date)
    ), counted AS (
        SELECT moves.*, counts.shares, counts.as_of, counts.form, counts.basis FROM moves
        ASOF LEFT JOIN counts ON counts.ticker = moves.ticker AND counts.known <= moves.date
    ), rates AS (
        SELECT currency, date, usd_per_unit FROM exchange_rate WHERE currency <> 'USD'
        UNION ALL SELECT 'USD', date, 1 FROM (SELECT DISTINCT date FROM price_daily)
    ), priced AS (
        SELECT counted.*, company.name, company.segment, {ai_on("counted.date")} AS is_ai,
            company.currency, coalesce(counted.date > company.spin_off, true) AS whole
        FROM counted JOIN company ON company.ticker = counted.ticker
        WHERE NOT company.is_benchmark AND counted.change IS NOT NULL
            AND ($start IS NULL OR counted.date >= $start) AND ($end IS NULL OR counted.date <= $end)
    )
    SELECT priced.ticker, name, segment, is_ai, priced.date, before, change, close_before * worth AS value_before,
        (close - close_before) * worth AS value_change, shares, as_of AS shares_as_of, form,
        date_diff('day', as_of, priced.date) > {OLD_COUNT_DAYS} AS old, concat_ws(' ', form, basis)
            || CASE WHEN old THEN ', more than {OLD_COUNT_DAYS} days old' ELSE '' END AS basis, rate
    FROM (
        SELECT priced.* REPLACE (CASE WHEN whole THEN shares END AS shares), CASE
            WHEN date_diff('day', rates.date, priced.date) <= {RATE_DAYS} THEN usd_per_unit END AS rate,
            CASE WHEN whole THEN priced.shares * rate END AS worth
        FROM priced ASOF LEFT JOIN rates ON rates.currency = priced.currency AND rates.date <= priced.date
    ) AS priced"""  # noqa: S608


VALUE_MOVES = _moves("price_daily")
"""What every company gained or lost in every session; see `dashboard.data.market.value_moves` for its columns.

Parameters: `start`, `end`."""

VALUED_MOVES = _moves("price_daily SEMI JOIN shares_outstanding USING (ticker)")
"""The same of the companies alone that have a share count."""
