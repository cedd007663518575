"""Finds the columns of a file by their names, in the words of several languages and vendors."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from etl.imports.report import ImportRefusedError

NAMES: dict[str, dict[str, str]] = {
    "prices": {
        "ticker": "symbol, code, ticker symbol, security, instrument, ric, bloomberg ticker, stock",
        "date": (
            "session, day, timestamp, datetime, date time, trade date, trading date, trading day, "
            "exchange date, business date, price date, dates, as of, time, datum, handelstag, data, "
            "fecha, tarih, dato, 日付, 日期, 날짜, дата"
        ),
        "open": (
            "open price, opening price, opening, px open, eroffnung, eroffnungskurs, eroffn, erster, "
            "ouverture, ouv, apertura, abertura, otwarcie, 始値, 开盘, 開盤, 시가"
        ),
        "high": (
            "high price, px high, hoch, tageshoch, hochst, hochstkurs, plus haut, haut, maximo, max, "
            "massimo, maxima, najwyzszy, 高値, 高, 最高, 고가"
        ),
        "low": (
            "low price, px low, tief, tagestief, tiefst, tiefstkurs, plus bas, bas, minimo, min, minima, "
            "najnizszy, 安値, 低, 最低, 저가"
        ),
        "close": (
            "close price, closing price, close last, closing, last, last price, px last, px close, "
            "settle, price, schlusskurs, schluss, zuletzt, letzter, kurs, cloture, dernier, dern, cierre, "
            "ultimo, chiusura, fechamento, zamkniecie, 終値, 收盘, 收盤, 종가"
        ),
        "adj_close": (
            "adj close, adjusted close, adjclose, close adj, adjusted closing price, adjusted price, adj "
            "close price, adjusted, bereinigter schlusskurs, cloture ajustee, cierre ajustado, cierre "
            "ajus, chiusura aggiustata, fechamento ajustado, 調整後終値, 수정종가"
        ),
        "volume": (
            "vol, px volume, share volume, total volume, trading volume, volumen, volumes, wolumen, "
            "volume shares, 出来高, 成交量, 거래량"
        ),
        "currency": "ccy, crncy, quote currency, wahrung, devise, moneda, valuta",
        "source": "data source, provider, quelle",
    },
    "rankings": {
        "captured_at": (
            "date, timestamp, datetime, date time, day, captured, capture date, snapshot date, fetched "
            "at, fetch date, as of, datum, fecha, data, 日付, 日期, 날짜, time"
        ),
        "clock": "time, hour, time of day, uhrzeit, heure, hora",
        "store": "market, platform, os, app store, store name",
        "country": (
            "country code, country name, country region, storefront, store country, territory, region, market country, "
            "geo, land, pays, "
            "pais, paese"
        ),
        "chart": "chart type, list, list type, feed, ranking type, rank type, chart name, collection",
        "genre": (
            "category, app category, category name, genre name, category id, genre id, kategorie, "
            "categorie, categoria"
        ),
        "device": "device type, form factor",
        "rank": (
            "position, place, ranking, chart position, current rank, category rank, chart rank, rang, "
            "platz, puesto, classement, 順位, 排名, 순위"
        ),
        "depth": "chart depth, fetched depth, chart size",
        "app_id": (
            "id, appid, product id, track id, apple id, store id, application id, adam id, package name, "
            "package"
        ),
        "app_name": "name, app, title, app title, application, product name, product, unified name",
        "publisher": (
            "developer, artist, artistname, artist name, company, developer name, publisher name, seller"
        ),
        "evidence": "",
        "source": "data source, publication",
        "source_url": "url, address, link, source link",
        "confidence": "confidence grade",
        "note": "remark, notes, remarks, comment",
    },
}
NAMES["bars"] = {**NAMES["prices"], "clock": "time, hour, time of day, bar time, uhrzeit, zeit, heure, hora"}
"""The columns of each kind of file, and the other names under which they are found, the likeliest first."""


@dataclass(frozen=True)
class Layout:
    """Which column of a file (its place, from 0 on) holds which of the table; ``names`` are those of the file."""

    names: tuple[str, ...]
    places: dict[str, int]

    @property
    def used(self) -> dict[str, str]:
        """For each column of the table the name in the file."""
        return {column: self.names[place] for column, place in self.places.items()}

    @property
    def ignored(self) -> list[str]:
        """The columns of the file that nothing is taken from."""
        used = set(self.places.values())
        return [name for place, name in enumerate(self.names) if name and place not in used]

    @property
    def spoken(self) -> str:
        """The names in the file, for a message."""
        return ", ".join(name for name in self.names if name)[:300]

    def without(self, column: str) -> Layout:
        """The same, but nothing is taken for that column of the table."""
        return Layout(self.names, {name: place for name, place in self.places.items() if name != column})


def layout(cells: Sequence[str | None], kind: str) -> Layout:
    """The columns that a line of headings names; a line of other cells names none."""
    names = tuple((cell or "").replace("\n", " ").strip() for cell in cells)
    known = [_normal(name) for name in names]
    places: dict[str, int] = {}
    for column, others in NAMES[kind].items():
        for name in (column.replace("_", " "), *others.split(", ")):
            free = [
                place
                for place, other in enumerate(known)
                if other == name != "" and place not in places.values()
            ]
            if free:
                places[column] = free[0]
                break
    return Layout(names, places)


def refuse_repeated(found: Layout, path: str) -> None:
    """Refuse a file in which a column that is needed stands twice.

    Raises
    ------
    ImportRefusedError
        When it does: which of them is meant cannot be known.
    """
    known = [_normal(name) for name in found.names]
    for place in found.places.values():
        if known.count(known[place]) > 1:
            raise ImportRefusedError(
                f"{path} has the column {found.names[place]!r} twice: take one of them out, or rename it."
            )


def in_parentheses(name: str) -> str | None:
    """What stands in parentheses behind the name of a column, such as the currency in ``Close (USD)``."""
    found = re.search(r"[(\[]([^()\[\]]+)[)\]]\s*$", name)
    return found[1].strip() if found else None


def _normal(name: str) -> str:
    """Lower case without accents, signs and what stands in parentheses."""
    plain = unicodedata.normalize("NFKC", name).replace("\ufeff", "").strip().casefold()
    kept = re.sub(r"[(\[][^()\[\]]*[)\]]", " ", plain) if not plain.startswith(("(", "[")) else plain
    bare = "".join(sign for sign in unicodedata.normalize("NFD", kept) if unicodedata.category(sign) != "Mn")
    return re.sub(r"[\W_]+", " ", unicodedata.normalize("NFC", bare)).strip()
