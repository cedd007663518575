"""Any set of companies compared, and one of them in detail."""

import pandas as pd
import streamlit as st

from dashboard.app_pages.audience import say_nothing
from dashboard.app_pages.builder import show_or_say
from dashboard.app_pages.choices import pick, select, select_many
from dashboard.app_pages.markdown import plain
from dashboard.app_pages.period import choose_event, choose_period
from dashboard.app_pages.reading import reading
from dashboard.app_pages.shared import require_state, theme
from dashboard.data.companies import coverage
from dashboard.data.naming import labelled
from dashboard.views.companies import DEFAULT_COMPANIES, DEFAULT_COMPANY, MOST_COMPANIES, no_prices, profile
from dashboard.views.request import Request

MEASURES = {
    "rebased": "Rebased to 100",
    "price": "Price",
    "drawdown": "Drawdown",
    "volatility": "Volatility",
    "volume": "Volume",
}
BASES = {"event": "before the event", "start": "at the start"}


@st.cache_resource(max_entries=4, show_spinner="Looking up the companies…")
def known_companies(state: str) -> pd.DataFrame:
    """Every company of a published state and what is held of it, by ticker."""
    with reading(state) as con:
        return coverage(con).set_index("ticker")


@st.cache_resource(max_entries=4, show_spinner=False)
def labels(state: str) -> dict[str, str]:
    """What a company is called in a list of choices, by ticker."""
    return {row.Index: labelled(row.name, row.Index) for row in known_companies(state).itertuples()}


state = require_state()
known, label = known_companies(state), labels(state)
held = known[known["sessions"] > 0]
st.title("Companies, side by side and one by one", anchor=False)
if held.empty:
    say_nothing(no_prices([]), ":material/database:")
    st.stop()
first, last = held["first"].min().date(), held["last"].max().date()
with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
    event = choose_event(state, priced=True)
    start, end = choose_period(first, last, event.market_session, ("range", "from", "to"), "event")


def request(tickers: tuple[str, ...], **options: str) -> Request:
    """What the reader asks for, of these companies."""
    return Request(event.event_id, tickers, start, end, theme(), tuple(sorted(options.items())))


@st.fragment
def compared() -> None:
    """The comparison with its own controls: a choice here runs 3 of the page’s 17 ms (measured)."""
    usual = [ticker for ticker in DEFAULT_COMPANIES if ticker in label]
    chosen = select_many("Companies", label, "compare", usual, MOST_COMPANIES)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        measure = pick("Measure", MEASURES, "measure", "rebased")
        base = pick("100 is the close", BASES, "base", "event", disabled=measure != "rebased")
        log = st.toggle(
            "Log scale",
            key="log",
            bind="query-params",
            disabled=measure not in ("rebased", "price"),
            help="Equal distances are equal percentages.",
        )
    if not chosen:
        st.info("Choose at least one company.", icon=":material/add_chart:")
        return
    wanted = request(chosen, measure=measure, base=base, log=str(log).lower())
    show_or_say(state, "companies-compare", wanted, first=True)


@st.fragment
def in_detail() -> None:
    """One company with its own choice, 5 of the page’s 17 ms (measured)."""
    usual = DEFAULT_COMPANY if DEFAULT_COMPANY in label else next(iter(label))
    ticker = select("Company in detail", label, "company", usual)
    company = known.loc[ticker]
    st.header(plain(company["name"]), anchor="company")
    if not company["sessions"]:
        say_nothing(no_prices([company["name"]]), ":material/database:")
        return
    st.caption(plain(profile(company)))
    show_or_say(state, "company-candles", request((ticker,)))
    left, right = st.columns(2, gap="large")
    with left:
        show_or_say(state, "company-worst-days", request((ticker,)))
    with right:
        show_or_say(state, "company-recovery", request((ticker,)))


compared()
in_detail()
