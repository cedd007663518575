"""Yahoo's chart API (``/v8/finance/chart``), its crumb and its share counts, on the loopback."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from etl import calendars
from tests.loopback.world import Asked, Reply

ZONES = {"XNYS": "America/New_York", "XKRX": "Asia/Seoul", "XHKG": "Asia/Hong_Kong", "XTKS": "Asia/Tokyo"}


@dataclass
class Bar:
    """One session; ``adjusted`` is what dividends paid later leave of the close."""

    open: float | None
    high: float | None
    low: float | None
    close: float | None
    volume: int | None
    adjusted: float | None


@dataclass
class Listing:
    """A ticker with its bars by session."""

    ticker: str
    bars: dict[date, Bar]
    currency: str = "USD"
    exchange: str = "XNYS"
    symbol: str = ""
    dividends: dict[date, float] = field(default_factory=dict)
    paid_in: str = ""
    """The currency of the dividends, where the site names it."""
    splits: dict[date, tuple[int, int]] = field(default_factory=dict)
    shares: dict[date, int] = field(default_factory=dict)
    within: dict[int, Bar] = field(default_factory=dict)
    """Intraday bars, by the moment at which they begin (Unix time)."""

    def stamp(self, day: date) -> int:
        """Yahoo stamps a daily bar with the opening of its session."""
        return int(
            datetime(day.year, day.month, day.day, 9, 30, tzinfo=ZoneInfo(ZONES[self.exchange])).timestamp()
        )

    def reinvest(self) -> None:
        """Adjust the closes for the dividends: the wealth of a holder who buys more shares with each of them.

        A share and what it paid are worth ``close * shares``; scaled so that the newest close stays as it is.
        """
        shares, wealth, before = 1.0, {}, None
        for day in sorted(self.bars):
            for ex_date, amount in self.dividends.items():
                if before and before < ex_date <= day and self.bars[before].close:
                    shares *= 1 / (1 - amount / self.bars[before].close)
            wealth[day], before = shares, day
        for day, bar in self.bars.items():
            bar.adjusted = bar.close * wealth[day] / shares if bar.close is not None else None

    def split(self, day: date, new: int, old: int = 1) -> None:
        """Split the shares: from that day on they trade at another price, and every earlier figure is adjusted."""
        self.splits[day] = (new, old)
        self.rescale(old / new)

    def phantom_split(self, day: date, new: int, old: int = 1) -> None:
        """List a split that never happened, and adjust every earlier figure for it."""
        self.splits[day] = (new, old)
        self.rescale(old / new, before=day)

    def rescale(self, factor: float, *, before: date = date.max) -> None:
        """Multiply the prices and dividends before a day."""
        for held, bar in self.bars.items():
            if held < before:
                for name in ("open", "high", "low", "close", "adjusted"):
                    value = getattr(bar, name)
                    setattr(bar, name, value * factor if value is not None else None)
        self.dividends = {
            day: amount * factor if day < before else amount for day, amount in self.dividends.items()
        }


def sessions(first: date, last: date, exchange: str = "XNYS") -> list[date]:
    """The exchange's sessions, from the copy that the program keeps: Korea's take seconds to compute."""
    return calendars.sessions(exchange, first, last)


def listing(
    ticker: str,
    first: date,
    last: date,
    *,
    start: float = 100.0,
    exchange: str = "XNYS",
    currency: str = "USD",
) -> Listing:
    """A made-up history that rises and falls, without dividends."""
    bars = {}
    for position, day in enumerate(sessions(first, last, exchange)):
        close = round(start * (1 + 0.001 * position + 0.005 * ((position * 7) % 5 - 2)), 4)
        bars[day] = Bar(
            round(close * 0.99, 4),
            round(close * 1.02, 4),
            round(close * 0.98, 4),
            close,
            1000 + position,
            close,
        )
    return Listing(ticker, bars, currency, exchange)


def within_day(one: Listing, session: date, *, minutes: int = 5, extended: bool = True) -> None:
    """Fill a session with bars that lead from its open to its close, and with the hours around it in New York."""
    known = calendars.calendar(one.exchange)
    place = known.sessions.get_loc(pd.Timestamp(session))
    opens, closes = int(known.opens[place].timestamp()), int(known.closes[place].timestamp())
    around = 3600 if extended and one.exchange == "XNYS" else 0
    bar, step = one.bars[session], 60 * minutes
    for stamp in range(opens - around, closes + around, step):
        share = min(max((stamp + step - opens) / (closes - opens), 0), 1)
        price = round(bar.open + (bar.close - bar.open) * share, 4)
        one.within[stamp] = Bar(price, round(price * 1.001, 4), round(price * 0.999, 4), price, 100, price)


class Yahoo:
    """The site; change ``listings`` to change what it knows."""

    hosts = ("query1.finance.yahoo.com", "query2.finance.yahoo.com", "fc.yahoo.com", "guce.yahoo.com")

    def __init__(self, *listings: Listing) -> None:
        self.listings = {one.ticker: one for one in listings}

    def reply(self, asked: Asked) -> Reply:
        if asked.path == "/v1/test/getcrumb":
            return Reply(b"crumb")
        if asked.path.startswith("/v8/finance/chart/"):
            return self._chart(asked.path.rsplit("/", 1)[1].replace("%5E", "^"), asked.query)
        if "/fundamentals-timeseries/" in asked.path:
            return self._shares(asked.path.rsplit("/", 1)[1])
        return Reply(b"", headers={"Set-Cookie": "A3=loopback; Domain=.yahoo.com; Path=/; Max-Age=31536000"})

    def _chart(self, ticker: str, query: dict[str, str]) -> Reply:
        one = self.listings.get(ticker)
        if one is None:
            return _json(
                {
                    "chart": {
                        "result": None,
                        "error": {
                            "code": "Not Found",
                            "description": "No data found, symbol may be delisted",
                        },
                    }
                },
                404,
            )
        if query.get("interval", "1d")[-1] == "m":
            return self._within(one, query)
        if "range" in query:
            days = sorted(one.bars)[-1:]
        else:
            first, last = int(query["period1"]), int(query["period2"])
            days = [day for day in one.bars if first <= one.stamp(day) < last]
        return _json({"chart": {"result": [chart(one, days)], "error": None}})

    def _within(self, one: Listing, query: dict[str, str]) -> Reply:
        """Intraday bars, with the hours around the session only where they are asked for."""
        first, last = int(query["period1"]), int(query["period2"])
        stamps = [stamp for stamp in one.within if first <= stamp < last]
        bars = [one.within[stamp] for stamp in stamps]
        found = chart(one, [])
        found["meta"] |= {"dataGranularity": query["interval"]}
        if stamps:
            found["meta"] |= {"tradingPeriods": _periods(one, stamps)}
            names = ("open", "high", "low", "close", "volume")
            quote = {name: [getattr(bar, name) for bar in bars] for name in names}
            found |= {"timestamp": stamps, "indicators": {"quote": [quote]}}
        return _json({"chart": {"result": [found], "error": None}})

    def _shares(self, ticker: str) -> Reply:
        one = self.listings.get(ticker)
        result: dict[str, Any] = {"meta": {"symbol": [ticker], "type": ["shares_out"]}}
        if one and one.shares:
            result |= {
                "timestamp": [one.stamp(day) for day in one.shares],
                "shares_out": list(one.shares.values()),
            }
        return _json({"timeseries": {"result": [result], "error": None}})


def chart(one: Listing, days: list[date]) -> dict[str, Any]:
    """One element of ``chart.result``, with the bars in the order of ``days``."""
    bars = [one.bars[day] for day in days]
    meta = {
        "currency": one.currency,
        "symbol": one.symbol or one.ticker,
        "exchangeName": "NYQ",
        "instrumentType": "EQUITY",
        "firstTradeDate": one.stamp(min(one.bars)),
        "regularMarketTime": one.stamp(max(one.bars)) + 6 * 3600,
        "gmtoffset": -18000,
        "timezone": "EST",
        "exchangeTimezoneName": ZONES[one.exchange],
        "regularMarketPrice": one.bars[max(one.bars)].close,
        "chartPreviousClose": 1.0,
        "priceHint": 2,
        "dataGranularity": "1d",
        "range": "",
        "validRanges": ["1d", "5d", "1mo", "max"],
    }
    if not days:
        return {"meta": meta, "indicators": {"quote": [{}], "adjclose": [{}]}}
    quote = {
        name: [getattr(bar, name) for bar in bars] for name in ("open", "high", "low", "close", "volume")
    }
    result: dict[str, Any] = {
        "meta": meta,
        "timestamp": [one.stamp(day) for day in days],
        "indicators": {"quote": [quote], "adjclose": [{"adjclose": [bar.adjusted for bar in bars]}]},
    }
    events = _events(one, min(days), max(days))
    return result | ({"events": events} if events else {})


def _periods(one: Listing, stamps: list[int]) -> dict[str, Any]:
    """When the sessions of those days begin and end, with the hours around them, as Yahoo tells it."""
    known, periods = calendars.calendar(one.exchange), {"pre": [], "regular": [], "post": []}
    for day in sorted(
        {datetime.fromtimestamp(stamp, ZoneInfo(ZONES[one.exchange])).date() for stamp in stamps}
    ):
        place = known.sessions.get_indexer([pd.Timestamp(day)])[0]
        if place < 0:
            continue
        opens, closes = int(known.opens[place].timestamp()), int(known.closes[place].timestamp())
        for name, start, end in (
            ("pre", opens - 19_800, opens),
            ("regular", opens, closes),
            ("post", closes, closes + 14_400),
        ):
            periods[name].append([{"timezone": "EST", "start": start, "end": end, "gmtoffset": -18000}])
    return periods


def _events(one: Listing, first: date, last: date) -> dict[str, Any]:
    paid = {
        str(one.stamp(day)): {"amount": amount, "date": one.stamp(day)}
        | ({"currency": one.paid_in} if one.paid_in else {})
        for day, amount in one.dividends.items()
        if first <= day <= last + timedelta(days=3)
    }
    split = {
        str(one.stamp(day)): {
            "date": one.stamp(day),
            "numerator": new,
            "denominator": old,
            "splitRatio": f"{new}:{old}",
        }
        for day, (new, old) in one.splits.items()
        if first <= day <= last
    }
    return {name: found for name, found in (("dividends", paid), ("splits", split)) if found}


def _json(value: Any, status: int = 200) -> Reply:
    return Reply(json.dumps(value).encode(), status, {"Content-Type": "application/json"})
