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
