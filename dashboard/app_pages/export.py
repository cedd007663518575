"""Charts to take along: choose one, adjust words and looks, see it as it will be, and download it with its proof."""

from dataclasses import replace
from datetime import date
from functools import partial
from html import escape
from urllib.parse import urlencode

import streamlit as st

from dashboard.app_pages.audience import say_nothing
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
from dashboard.export.jobs import HOUSE_CREDIT, LIMITS, BadWords
from dashboard.export.kit import build, caption, embed_code
from dashboard.export.making import Made, make
from dashboard.export.order import FORMATS, BadOrder, Order
from dashboard.export.presets import PRESETS, THEMES, BadSize
from dashboard.export.render import CannotDraw, Pictures, render
from dashboard.views.registry import CHARTS
from dashboard.views.request import NothingToShow

MOST_COMPANIES = 10
TALL_WIDTH = 480
PICTURES = ("png", "svg", "pdf")
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
def made(state: str, order: Order) -> Made:
    """The chart of an order in a published state."""
    return make(order, state)


@st.cache_resource(max_entries=64, show_spinner="Drawing the picture…")
def preview(state: str, order: Order) -> Pictures:
    """The picture of an order as its file will be."""
    found = made(state, order)
    return render(found.chart, order.look(), {"png"}, found.state)


def named(name: str) -> str:
    """A chart's name as words: "shock-losses-percent" becomes "Shock: losses percent"."""
    room, _, rest = name.partition("-")
    return f"{room.capitalize()}: {rest.replace('-', ' ')}"


def file_of(state: str, order: Order, form: str) -> bytes:
    """One file of an order's kit, made when it is asked for."""
    return build(replace(order, formats=(form,)), state).files[
        f"{order.name}.{'plotly.json' if form == 'json' else form}"
    ]


def day(label: str, key: str) -> date | None:
    """A day of the reader's choice, or none."""
    chosen = st.date_input(label, value=None, key=key, bind="query-params", format="DD/MM/YYYY")
    return chosen if isinstance(chosen, date) else None


def what(state: str) -> Order:
    """Which chart, of which event, companies and days."""
    name = select("Chart", {name: named(name) for name in CHARTS}, "chart", next(iter(CHARTS)))
    event = choose_event(state)
    event_id = event.event_id if event in known_events(state) else event.market_session.isoformat()
    with st.expander("Companies and days", icon=":material/tune:"):
        tickers = select_many(
            "Companies (none: the chart’s own)", company_labels(state), "show", [], MOST_COMPANIES
        )
        start, end = day("From", "from"), day("To", "to")
    return Order(name, event_id, tickers, start, end)


def how(order: Order) -> Order:
    """The size and the look of the picture."""
    preset = pick("Size", {name: name.capitalize() for name in PRESETS}, "size", "article")
    st.caption(PRESETS[preset].purpose.capitalize())
    usual = "print" if preset == "print" else "light"
    theme = pick("Theme", {name: name.capitalize() for name in THEMES}, "theme", usual)
    locale = select("Numbers and dates as in", LOCALES, "locale", "en")
    return replace(order, preset=preset, theme=theme, locale=locale)


def words(order: Order) -> Order:
    """The words of the frame."""
    bare = st.toggle(
        "Without title and subtitle",
        key="bare",
        bind="query-params",
        help="For a page that has its own headline.",
    )
    own = {
        part: st.text_input(
            part.capitalize(),
            key=part,
            bind="query-params",
            max_chars=LIMITS[part],
            placeholder="The chart’s own",
            disabled=bare,
        )
        for part in ("title", "subtitle")
    }
    credit = st.text_input(
        "Credit", value=HOUSE_CREDIT, key="credit", bind="query-params", max_chars=LIMITS["credit"]
    )
    title, subtitle = ("" if bare else text or None for text in own.values())
    return replace(order, title=title, subtitle=subtitle, credit=credit or "")


def picture(order: Order, found: Made) -> bool:
    """The preview; False where there can be no picture, with the reason and what the browser can do instead."""
    try:
        drawn = preview(state, order)
    except NoBrowser as missing:
        st.warning(plain(str(missing)), icon=":material/travel_explore:")
        own_picture(found)
        return False
    except (BrowserError, CannotDraw) as fault:
        st.warning(plain(str(fault)), icon=":material/crop:")
        return False
    shape = order.shape()
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
    form = pick("The camera button saves", {"png": "PNG", "svg": "SVG"}, "camera", "png")
    options = {"format": form, "filename": found.chart.name, "scale": 2}
    st.plotly_chart(
        found.chart.figure,
        theme=None,
        config={**CONFIG, "toImageButtonOptions": options},
        alt=found.chart.alt,
    )


def downloads(state: str, order: Order, pictures: bool) -> None:
    """Each file, and the kit as a zip."""
    order = (
        order if pictures else replace(order, formats=tuple(form for form in FORMATS if form not in PICTURES))
    )
    with st.container(horizontal=True, gap="small"):
        st.download_button(
            "The whole kit",
            data=lambda: build(order, state).zipped(),
            file_name=f"{order.folder()}.zip",
            mime="application/zip",
            type="primary",
            icon=":material/folder_zip:",
            on_click="ignore",
            key="kit",
        )
        for form in order.formats:
            st.download_button(
                "Plotly JSON" if form == "json" else form.upper(),
                data=partial(file_of, state, order, form),
                file_name=f"{order.folder()}.{form}",
                mime=MIME[form],
                on_click="ignore",
                key=f"file-{form}",
            )


def live_picture(order: Order, found: Made, root: str) -> str:
    """The HTML of a picture that this server draws anew from the latest data."""
    own = {"event": order.event, "theme": order.theme, "preset": order.preset, "locale": order.locale}
    query = [*own.items(), *(("tickers", ticker) for ticker in order.tickers)]
    query += [(edge, day.isoformat()) for edge, day in (("start", order.start), ("end", order.end)) if day]
    address = f"{root}/chart/{order.name}.png?{urlencode(query)}"
    return f'<img src="{escape(address)}" alt="{escape(found.chart.alt)}" style="width:100%;height:auto">'


def texts(order: Order, found: Made) -> None:
    """What is copied into an article beside the picture."""
    here = (st.context.url or "").split("?")[0].rstrip("/")
    choices = [(key, value) for key in st.query_params for value in st.query_params.get_all(key)]
    alt, words, embed, link = st.tabs(["Alt text", "Caption", "Embed code", "Permalink"])
    with alt:
        st.code(found.chart.alt, language=None, wrap_lines=True)
    with words:
        st.code(caption(found.chart, order.credit), language=None, wrap_lines=True)
    with embed:
        st.caption("The interactive chart, from the HTML file on a server of yours:")
        st.code(embed_code(found.chart, f"{order.name}.html"), language="html", wrap_lines=True)
        st.caption("A picture that this server keeps up to date:")
        st.code(live_picture(order, found, here.removesuffix("/export")), language="html", wrap_lines=True)
    with link:
        st.code(f"{here}?{urlencode(choices)}".rstrip("?"), language=None, wrap_lines=True)


state = require_state()
st.title("A chart to take along, with the figures that prove it", anchor=False)
choices, result = st.columns([1, 2], gap="large")
with choices:
    ordered = what(state)
with result:
    place = st.container()
with choices:
    try:
        ordered = words(how(ordered))
    except (BadOrder, BadSize, BadWords, UnknownLocale) as bad:
        st.warning(plain(str(bad)), icon=":material/edit:")
        st.stop()
with place:
    try:
        story = made(state, ordered)
    except NothingToShow as nothing:
        say_nothing(nothing)
        st.stop()
    can = picture(ordered, story)
    downloads(state, ordered, can)
    texts(ordered, story)
