"""Charts to take with you: choose one, adjust words and looks, see it as it will be, and download it with its proof."""

from dataclasses import replace
from datetime import date
from functools import partial
from html import escape
from urllib.parse import urlencode

import streamlit as st

from dashboard.app_pages import shared
from dashboard.app_pages.address import check_days, names_any, refuse
from dashboard.app_pages.audience import say_fault, say_nothing
from dashboard.app_pages.choices import pick, select, select_many
from dashboard.app_pages.markdown import plain
from dashboard.app_pages.period import choose_event
from dashboard.app_pages.reading import reading
from dashboard.app_pages.shared import known_events, require_state
from dashboard.charts.locales import UnknownLocale
from dashboard.charts.style import CONFIG
from dashboard.data.companies import coverage
from dashboard.data.naming import labelled
from dashboard.export.browser import BrowserError, NoBrowser
from dashboard.export.drawing import HOUSE_CREDIT, LIMITS, WORDS, caption
from dashboard.export.embed import codes
from dashboard.export.kit import build
from dashboard.export.presets import PRESETS, THEMES, BadSpec
from dashboard.export.provenance import Made, make
from dashboard.export.render import CannotDraw, Pictures, render
from dashboard.export.spec import FORMATS, PICTURES, Spec, for_chart
from dashboard.views.registry import CHARTS, HEEDS
from dashboard.views.request import NothingToShow

MOST_COMPANIES = 10
TALL_WIDTH = 480
LONGEST_WORDS = 3000
MIME = {
    "png": "image/png",
    "svg": "image/svg+xml",
    "pdf": "application/pdf",
    "html": "text/html",
    "csv": "text/csv",
    "json": "application/json",
}
LOCALES = {
    "en": "English",
    "de": "Deutsch",
    "fr": "français",
    "es": "español",
    "it": "italiano",
    "nl": "Nederlands",
    "pt-BR": "português (Brasil)",
    "pl": "polski",
    "sv": "svenska",
    "da": "dansk",
    "fi": "suomi",
    "cs": "čeština",
    "tr": "Türkçe",
    "ja": "日本語",
    "zh": "中文",
    "ko": "한국어",
    "ar": "العربية",
    "hi": "हिन्दी",
}


@st.cache_resource(max_entries=4, show_spinner=False)
def company_labels(state: str) -> dict[str, str]:
    """What a company is called in a list of choices, by ticker."""
    with reading(state) as con:
        known = coverage(con)
    return {
        row.ticker: labelled(row.name, row.ticker) for row in known.itertuples(index=False) if row.sessions
    }


@st.cache_resource(max_entries=64, show_spinner="Reading and drawing…")
def made(state: str, spec: Spec) -> Made:
    """The chart of a spec in a published state."""
    return make(spec, state)


@st.cache_resource(max_entries=64, show_spinner="Drawing the picture…")
def preview(state: str, spec: Spec) -> Pictures:
    """The picture of a spec as its file will be."""
    found = made(state, spec)
    return render(found.chart, spec.look(), {"png"})


def named(name: str) -> str:
    """A chart's name as words: "shock-losses-percent" becomes "Shock: losses percent"."""
    page, _, rest = name.partition("-")
    return f"{page.capitalize()}: {rest.replace('-', ' ')}"


def file_of(state: str, spec: Spec, form: str) -> bytes:
    """One file of a spec's kit, made when it is asked for."""
    return build(replace(spec, formats=(form,)), state).files[
        f"{spec.name}.{'plotly.json' if form == 'json' else form}"
    ]


def day(label: str, key: str) -> date | None:
    """A day of the reader's choice, or none."""
    chosen = st.date_input(label, value=None, key=key, bind="query-params", format="DD/MM/YYYY")
    return chosen if isinstance(chosen, date) else None


def what(state: str) -> Spec:
    """Which chart, of which event, companies and days."""
    name = select("Chart", {name: named(name) for name in CHARTS}, "chart", next(iter(CHARTS)))
    event = choose_event(state)
    event_id = event.event_id if event in known_events(state) else event.market_session.isoformat()
    heeds = HEEDS[name]
    tickers: tuple[str, ...] = ()
    start = end = None
    if heeds.tickers == "company" or heeds.days:
        with st.expander("Companies and days", names_any("show", "from", "to"), icon=":material/tune:"):
            if heeds.tickers == "company":
                called, labels = "Companies (none: the chart’s own)", company_labels(state)
                tickers = select_many(called, labels, "show", [], MOST_COMPANIES)
            if heeds.days:
                check_days("from", "to")
                start, end = day("From", "from"), day("To", "to")
    if not heeds.days and names_any("from", "to"):
        refuse(f"{name} has no days to choose: its days are those of the event or of all data.")
    if heeds.tickers != "company" and names_any("show"):
        refuse(f"{name} has no companies to choose.")
    return for_chart(name, Spec(name, event_id, tickers, start, end))


def how(spec: Spec) -> Spec:
    """The size and the look of the picture."""
    preset = select("Size", {name: name.capitalize() for name in PRESETS}, "size", "article")
    st.caption(PRESETS[preset].purpose.capitalize())
    usual = "print" if preset == "print" else shared.theme()
    chosen = select("Theme", {name: name.replace("-", ", ").capitalize() for name in THEMES}, "theme", usual)
    locale = select("Numbers and dates as in", LOCALES, "locale", "en")
    if locale != "en":
        st.caption("The chart’s sentences stay English: your own words below replace them.")
    return replace(spec, preset=preset, theme=chosen, locale=locale)


def words(spec: Spec) -> Spec:
    """The words of the frame."""
    bare = st.toggle(
        "Without title and subtitle",
        key="bare",
        bind="query-params",
        help="For a page that has its own headline.",
    )
    own = {part: own_words(part, bare and part in ("title", "subtitle")) for part in ("title", "subtitle")}
    others = [part for part in WORDS if part not in own]
    with st.expander("Other words of your own", names_any(*others), icon=":material/edit_note:"):
        own |= {part: own_words(part) for part in others}
    credit = st.text_input(
        "Credit", value=HOUSE_CREDIT, key="credit", bind="query-params", max_chars=LIMITS["credit"]
    )
    if bare:
        own |= {"title": "", "subtitle": ""}
    return replace(spec, **own, credit=credit or "")  # type: ignore[arg-type]


def own_words(part: str, disabled: bool = False) -> str | None:
    """A field for words in place of the chart's own; None where it is left empty."""
    called = {"note": "Notes", "source": "Source line", "alt": "Alt text"}.get(part, part.capitalize())
    most = LIMITS.get(part, LONGEST_WORDS)
    text = st.text_input(
        called,
        key=part,
        bind="query-params",
        max_chars=most,
        placeholder="The chart’s own",
        disabled=disabled,
    )
    return text or None


def picture(spec: Spec, found: Made) -> bool:
    """The preview; False where there can be no picture, with the reason and what the browser can do instead."""
    try:
        drawn = preview(state, spec)
    except NoBrowser as missing:
        say_fault(missing, "No files of pictures can be made here.", ":material/travel_explore:")
        own_picture(found)
        return False
    except BrowserError as fault:
        say_fault(
            fault, "The picture cannot be drawn at the moment: try again in a minute.", ":material/crop:"
        )
        return False
    except CannotDraw as fault:
        st.warning(plain(str(fault)), icon=":material/crop:")
        return False
    shape = spec.shape()
    tall = drawn.height > 1.2 * drawn.width
    with st.container(border=True, width=TALL_WIDTH if tall else "stretch"):
        st.image(drawn.files["png"], width="stretch", output_format="PNG", alt=found.chart.alt)
    for warning in drawn.warnings:
        st.warning(plain(warning), icon=":material/font_download:")
    paper = f"{shape.width:g} × {shape.height:g} mm, " if shape.unit == "mm" else ""
    st.caption(f"{paper}{drawn.width * shape.scale:.0f} × {drawn.height * shape.scale:.0f} pixels")
    return True


def own_picture(found: Made) -> None:
    """The chart with the camera button that makes a picture in the reader's own browser."""
    form = pick(
        "The camera button saves",
        {"png": "PNG", "svg": "SVG"},
        "camera",
        "png",
        kind="file of the camera button",
    )
    options = {"format": form, "filename": found.chart.name, "scale": 2}
    st.plotly_chart(
        found.chart.figure,
        theme=None,
        config={
            **CONFIG,
            "displayModeBar": True,
            "toImageButtonOptions": options,
            "modeBarButtonsToRemove": [
                name for name in CONFIG["modeBarButtonsToRemove"] if name != "toImage"
            ],
        },
        alt=found.chart.alt,
    )


def downloads(state: str, spec: Spec, pictures: bool) -> None:
    """Each file, and the kit as a zip."""
    spec = (
        spec if pictures else replace(spec, formats=tuple(form for form in FORMATS if form not in PICTURES))
    )
    with st.container(horizontal=True, gap="small"):
        st.download_button(
            "The whole kit",
            data=lambda: build(spec, state).zipped(),
            file_name=f"{spec.folder()}.zip",
            mime="application/zip",
            type="primary",
            icon=":material/folder_zip:",
            on_click="ignore",
            key="kit",
        )
        for form in spec.formats:
            st.download_button(
                "Plotly JSON" if form == "json" else form.upper(),
                data=partial(file_of, state, spec, form),
                file_name=f"{spec.folder()}.{form}",
                mime=MIME[form],
                on_click="ignore",
                key=f"file-{form}",
            )


def live_picture(spec: Spec, found: Made, root: str) -> str:
    """The HTML of a picture that this server redraws from the latest data."""
    own = {"event": spec.event, "theme": spec.theme, "preset": spec.preset, "locale": spec.locale}
    query = [
        *own.items(),
        *((f"option.{key}", text) for key, text in spec.options),
        *(("tickers", ticker) for ticker in spec.tickers),
    ]
    query += [(edge, day.isoformat()) for edge, day in (("start", spec.start), ("end", spec.end)) if day]
    address = f"{root}/chart/{spec.name}.png?{urlencode(query)}"
    return f'<img src="{escape(address)}" alt="{escape(found.chart.alt)}" style="width:100%;height:auto">'


def texts(spec: Spec, found: Made) -> None:
    """What is copied into an article beside the picture."""
    here = (st.context.url or "").split("?")[0].rstrip("/")
    choices = [(key, value) for key in st.query_params for value in st.query_params.get_all(key)]
    address = f"{here}?{urlencode(choices)}".rstrip("?")
    alt, words, embed, link, cite = st.tabs(["Alt text", "Caption", "Embed code", "Permalink", "Citation"])
    with alt:
        st.code(found.chart.alt, language=None, wrap_lines=True)
    with words:
        st.code(caption(found.chart, spec.look()), language=None, wrap_lines=True)
    with embed:
        found_codes = codes(found.chart, f"{spec.name}.html", f"{spec.name}.png", spec.credit)
        for kind, called in (
            (
                "frame",
                "The interactive chart, from the HTML file on a server of yours, in a frame of fixed height:",
            ),
            ("live", "A picture that this server keeps up to date:"),
            ("script", "The frame by a script, as high as the chart is:"),
            ("listener", "The frame with a listener, as high as the chart is:"),
        ):
            st.caption(called)
            root = here.removesuffix("/export")
            text = live_picture(spec, found, root) if kind == "live" else found_codes[kind]
            st.code(text, language="html", wrap_lines=True)
    with link:
        st.code(address, language=None, wrap_lines=True)
    with cite:
        cited = shared.citation(state, found.chart, spec.request()).cite
        st.code(cited.replace(f"{{address}}#{spec.name}", address), language=None, wrap_lines=True)


state = require_state()
st.title("A chart to take with you, with the figures that prove it", anchor=False)
choices, result = st.columns([1, 2], gap="large")
place = result.container()
try:
    with choices:
        ordered = words(how(what(state)))
    with place:
        story = made(state, ordered)
except (BadSpec, UnknownLocale) as bad:
    place.warning(plain(str(bad)), icon=":material/edit:")
    st.stop()
except NothingToShow as nothing:
    with place:
        say_nothing(nothing)
    st.stop()
with place:
    can = picture(ordered, story)
    downloads(state, ordered, can)
    texts(ordered, story)
