"""What somebody wants of one chart: which, of what, how it is to look, in which words and in which formats."""

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from hashlib import sha256
from typing import Any

from pydantic import TypeAdapter, ValidationError

from dashboard.charts import locales
from dashboard.data.naming import UnknownName, resolve
from dashboard.export.drawing import HOUSE_CREDIT, WORDS, Look, readable
from dashboard.export.presets import PRESETS, THEMES, BadSpec, Preset, sized
from dashboard.views.registry import CHARTS, HEEDS
from dashboard.views.request import DEFAULT_EVENT, Heeds, Request

PICTURES = ("png", "svg", "pdf")
FORMATS = (*PICTURES, "html", "csv", "json")
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Spec:
    """One chart as ordered.

    `title`, `subtitle`, `note`, `source`, `alt` and `caption` replace the chart's own words, "" leaves them out;
    `figure` holds words inside the figure with what replaces each; `language` is that of all these words.
    """

    name: str
    event: str = DEFAULT_EVENT
    tickers: tuple[str, ...] = ()
    start: date | None = None
    end: date | None = None
    options: Pairs = ()
    preset: str = "article"
    size: str | None = None
    scale: float | None = None
    theme: str = "light"
    locale: str = "en"
    title: str | None = None
    subtitle: str | None = None
    note: str | None = None
    source: str | None = None
    alt: str | None = None
    caption: str | None = None
    figure: Pairs = ()
    language: str = "en"
    credit: str = HOUSE_CREDIT
    formats: tuple[str, ...] = FORMATS

    def __post_init__(self) -> None:
        """Refuse what cannot be met, with BadSpec or UnknownLocale."""
        _choice("preset", self.preset, PRESETS)
        _choice("theme", self.theme, THEMES)
        for name in self.formats:
            _choice("format", name, FORMATS)
        if not self.formats:
            raise BadSpec(f"No format is named: choose from {', '.join(FORMATS)}.")
        if self.start and self.end and self.start > self.end:
            raise BadSpec(f"The first day, {self.start}, comes after the last, {self.end}.")
        for locale in (self.locale, self.language):
            locales.parse(locale)
        for part in ("title", "subtitle", "note", "source", "credit"):
            readable(part, getattr(self, part) or "")
        self.shape()

    def shape(self) -> Preset:
        """The size of the pictures."""
        preset = PRESETS[self.preset]
        return (sized(preset, self.size) if self.size else preset).with_scale(self.scale)

    def look(self) -> Look:
        """How the chart is to look."""
        words = (self.credit, self.language, self.caption)
        return Look(self.shape(), self.theme, self.locale, *words)

    def words(self) -> dict[str, str]:
        """The words that replace the chart's own, by the part of the chart."""
        return {part: text for part in WORDS if (text := getattr(self, part)) is not None}

    def request(self) -> Request:
        """What the chart is to show."""
        return Request(self.event, self.tickers, self.start, self.end, self.theme, self.options)

    def parameters(self) -> dict[str, Any]:
        """What was asked for and heeded, as plain values for `metadata.json`; `from_parameters` reads them again."""
        values = {key: value for key, value in asdict(self).items() if value not in (None, (), False)}
        vain = ["event"] if not HEEDS.get(self.name, Heeds()).event else []
        if not set(self.formats) & set(PICTURES):
            vain += ["preset", "size", "scale"]
        values = {key: value for key, value in values.items() if key not in vain}
        for name in ("start", "end"):
            if name in values:
                values[name] = values[name].isoformat()
        for name in ("options", "figure"):
            if name in values:
                values[name] = dict(values[name])
        for name in ("tickers", "formats"):
            if name in values:
                values[name] = list(values[name])
        return values

    def folder(self) -> str:
        """The name of the kit's folder: the chart's, with what differs from the usual, as words or as a hash of it."""
        asked = {key: value for key, value in self.parameters().items() if getattr(self, key) != _USUAL[key]}
        shape = asked.pop("size", None) or asked.get("preset")
        theme = asked.get("theme") if asked.get("theme") != shape else None
        parts = [asked.get("name"), asked.get("event"), shape, theme, asked.get("locale")]
        told = ("name", "event", "preset", "theme", "locale", "formats")
        rest = {key: value for key, value in asked.items() if key not in told}
        if rest:
            parts.append(sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()[:8])
        return "-".join(_safe(str(part)) for part in parts if part)


_USUAL = {each.name: each.default for each in fields(Spec)}


def heeded(spec: Spec) -> Spec:
    """The spec with the chart's exact name; refuses what its chart would not heed.

    Raises
    ------
    BadSpec
        When there is no such chart, or the chart has no days, companies, event or settings of that kind to choose.
    """
    try:
        name = resolve("chart", spec.name, CHARTS, "`--list` names them all")
        for option, _ in spec.options if HEEDS[name].options else ():
            resolve("setting", option, HEEDS[name].options)
    except UnknownName as unknown:
        raise BadSpec(str(unknown)) from None
    if not set(spec.formats) & set(PICTURES) and (spec.size or spec.scale):
        raise BadSpec(f"There is no picture among {', '.join(spec.formats)}: leave out its size.")
    without = unheeded(name, spec)
    if without:
        raise BadSpec(f"{name} has no {' and no '.join(without.values())} to choose: leave that out.")
    return replace(spec, name=name)


def unheeded(name: str, spec: Spec) -> dict[str, str]:
    """The fields of a spec that the chart of that name would not heed, with what each is called."""
    heeds = HEEDS.get(name, Heeds())
    asked = {
        "event": ("event", spec.event != DEFAULT_EVENT and not heeds.event),
        "tickers": ("companies", bool(spec.tickers) and not heeds.tickers),
        "start": ("first day", spec.start is not None and not heeds.days),
        "end": ("last day", spec.end is not None and not heeds.days),
        "options": ("settings", bool(spec.options) and not heeds.options),
    }
    return {field: called for field, (called, vain) in asked.items() if vain}


def for_chart(name: str, spec: Spec, *, refuse: Collection[str] = ()) -> Spec:
    """The spec of one of several charts: without the fields that this one would not heed, but those to `refuse`."""
    kept = {each.name: each.default for each in fields(Spec) if each.name in unheeded(name, spec)}
    return replace(spec, name=name, **{key: value for key, value in kept.items() if key not in refuse})  # type: ignore[arg-type]


def from_parameters(values: Any) -> Spec:
    """The spec that `Spec.parameters` wrote down.

    Raises
    ------
    BadSpec
        When they are not such parameters.
    """
    if not isinstance(values, Mapping) or not isinstance(values.get("name"), str):
        raise BadSpec("The file holds no parameters of a chart: it is not the metadata.json of a kit.")
    unknown = sorted(map(str, set(values) - set(_USUAL)))
    if unknown:
        raise BadSpec(f"The file has parameters that are not known here: {', '.join(unknown)[:200]}.")
    pairs = {
        key: sorted(values[key].items()) if isinstance(values[key], Mapping) else values[key]
        for key in ("options", "figure")
        if key in values
    }
    try:
        return heeded(_READER.validate_python({**values, **pairs}))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "parameters"
        raise BadSpec(
            f"The file’s {place} cannot be used: {first['msg'].removeprefix('Value error, ')}"
        ) from None


_READER = TypeAdapter(Spec)


def _choice(kind: str, value: str, known: Mapping[str, object] | tuple[str, ...]) -> None:
    if value not in known:
        raise BadSpec(f"There is no {kind} “{str(value)[:40]}”: choose from {', '.join(known)}.")


def _safe(part: str) -> str:
    return "".join(sign if sign.isalnum() or sign in "._-" else "_" for sign in part).strip(".") or "_"
