"""What somebody wants of one chart: which, of what, how it is to look, and in which formats."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

from dashboard.charts import locales
from dashboard.export.jobs import HOUSE_CREDIT, Look, readable
from dashboard.export.presets import PRESETS, THEMES, Preset, sized
from dashboard.views.request import DEFAULT_EVENT, Request

FORMATS = ("png", "svg", "pdf", "html", "csv", "json")


class BadOrder(ValueError):
    """An order that cannot be met whatever the data; the message says what is wrong with it."""


@dataclass(frozen=True)
class Order:
    """One chart as ordered. `title` and `subtitle` replace the chart's own words, "" leaves them out."""

    name: str
    event: str = DEFAULT_EVENT
    tickers: tuple[str, ...] = ()
    start: date | None = None
    end: date | None = None
    options: tuple[tuple[str, str], ...] = ()
    preset: str = "article"
    size: str | None = None
    scale: float | None = None
    theme: str = "light"
    locale: str = "en"
    title: str | None = None
    subtitle: str | None = None
    credit: str = HOUSE_CREDIT
    formats: tuple[str, ...] = FORMATS

    def __post_init__(self) -> None:
        """Refuse what cannot be met, with BadOrder, BadSize, BadWords or UnknownLocale."""
        _choice("preset", self.preset, PRESETS)
        _choice("theme", self.theme, THEMES)
        for name in self.formats:
            _choice("format", name, FORMATS)
        if not self.formats:
            raise BadOrder(f"No format is named: choose from {', '.join(FORMATS)}.")
        if self.start and self.end and self.start > self.end:
            raise BadOrder(f"The first day, {self.start}, comes after the last, {self.end}.")
        locales.parse(self.locale)
        for part in ("title", "subtitle", "credit"):
            readable(part, getattr(self, part) or "")
        self.shape()

    def shape(self) -> Preset:
        """The size of the pictures."""
        preset = PRESETS[self.preset]
        return (sized(preset, self.size) if self.size else preset).with_scale(self.scale)

    def look(self) -> Look:
        """How the chart is to look."""
        return Look(self.shape(), self.theme, self.locale, self.credit)

    def request(self) -> Request:
        """What the chart is to show."""
        return Request(self.event, self.tickers, self.start, self.end, self.theme, self.options)

    def folder(self) -> str:
        """The name of the kit's folder: the chart's, with what differs from the usual."""
        own = (
            ("" if self.event == DEFAULT_EVENT else self.event),
            (self.size or ("" if self.preset == "article" else self.preset)),
            ("" if self.theme == "light" else self.theme),
            ("" if self.locale == "en" else self.locale),
        )
        return "-".join(_safe(part) for part in (self.name, *own) if part)

    def parameters(self) -> dict[str, Any]:
        """The order as plain values for `metadata.json`; `from_parameters` reads them again."""
        values = asdict(self)
        for name in ("start", "end"):
            values[name] = values[name].isoformat() if values[name] else None
        return {
            **values,
            "tickers": list(self.tickers),
            "options": dict(self.options),
            "formats": list(self.formats),
        }


def from_parameters(values: Any) -> Order:
    """The order that `Order.parameters` wrote down.

    Raises
    ------
    BadOrder
        When they are not such parameters.
    """
    if not isinstance(values, Mapping) or not isinstance(values.get("name"), str):
        raise BadOrder("The file holds no parameters of a chart: it is no metadata.json of a kit.")
    unknown = set(values) - set(Order.__dataclass_fields__)
    if unknown:
        raise BadOrder(
            f"The file has parameters that are not known here: {', '.join(sorted(map(str, unknown)))}."
        )
    try:
        days: dict[str, Any] = {
            name: date.fromisoformat(values[name]) for name in ("start", "end") if values.get(name)
        }
        lists: dict[str, Any] = {
            name: tuple(map(str, values.get(name) or ())) for name in ("tickers", "formats")
        }
        options = tuple(sorted((str(key), str(text)) for key, text in (values.get("options") or {}).items()))
        plain = {
            key: value for key, value in values.items() if key not in {"start", "end", "options", *lists}
        }
        return replace(Order(**plain), **days, **lists, options=options)
    except (TypeError, AttributeError, KeyError) as error:
        raise BadOrder(f"The file's parameters cannot be read ({error}).") from None


def _choice(kind: str, value: str, known: Mapping[str, object] | tuple[str, ...]) -> None:
    if value not in known:
        raise BadOrder(f"There is no {kind} “{str(value)[:40]}”: choose from {', '.join(known)}.")


def _safe(part: str) -> str:
    return "".join(sign if sign.isalnum() or sign in "._-" else "_" for sign in part).strip(".") or "_"
