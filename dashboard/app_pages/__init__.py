"""The pages of the dashboard, one file each, and what they share."""

PAGES: dict[str, tuple[str, str | None]] = {
    "shock": ("The story", None),
    "events": ("Events", "events"),
    "companies": ("Companies", "companies"),
    "event_study": ("Event study", "event-study"),
    "app_rankings": ("App rankings", "app-rankings"),
    "export": ("Export", "export"),
    "data": ("Data", "data"),
}
"""Each page's file, title and address, in the order of the menu; the first opens without an address."""

_DAY = ("event", "day")
PARAMETERS: dict[str, tuple[str, ...]] = {
    "shock": (*_DAY, "show"),
    "events": (*_DAY, "kind", "year", "segment", "company", "sort", "rows", "by", "events", "of"),
    "companies": (*_DAY, "range", "from", "to", "compare", "measure", "base", "log", "company"),
    "event_study": (*_DAY, "group", "firms", "window", "benchmark", "model", "estimation", "others"),
    "app_rankings": (*_DAY, "store", "country", "chart", "device", "period", "since", "until", "apps"),
    "export": (
        *(*_DAY, "chart", "show", "from", "to", "size", "theme", "locale", "camera", "bare", "credit"),
        *("title", "subtitle", "note", "source", "alt", "caption"),
    ),
    "data": _DAY,
}
"""What each page reads of its address, by the page's file; the event is carried from page to page."""
