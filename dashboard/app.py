"""The entry point: `streamlit run dashboard/app.py` opens the dashboard.

The server imports this file for `app`; for each reader Streamlit then runs it as its script, as `__main__`.
"""

import sys
from pathlib import Path

import streamlit as st

FOLDER = Path(__file__).resolve().parent
if str(FOLDER.parent) not in sys.path:
    sys.path.insert(0, str(FOLDER.parent))

MARK = str(FOLDER / "static" / "mark.svg")
PAGE_WIDTH = 1120


def draw() -> None:
    """The frame of every page, and the page that the address names in it."""
    from dashboard import metrics
    from dashboard.app_pages import PAGES, PARAMETERS
    from dashboard.app_pages.address import carry_event, check_names
    from dashboard.app_pages.shared import dateline
    from etl.product import NAME, VERSION

    st.set_page_config(page_icon=MARK, layout="wide", initial_sidebar_state="collapsed")
    st.logo(MARK, size="large")
    st.html(FOLDER / "style.css")
    st.html(FOLDER / "print.css")
    page = st.navigation(
        [
            st.Page(f"app_pages/{name}.py", title=title, url_path=path, default=path is None)
            for name, (title, path) in PAGES.items()
        ],
        position="top",
    )
    st.set_page_config(page_title=f"{page.title} · {NAME}")
    carry_event(page.url_path)
    metrics.PAGE_RUNS.labels(page.title).inc()
    with (
        metrics.PAGES_RUNNING.track_inprogress(),
        metrics.PAGE_SECONDS.time(),
        st.container(horizontal_alignment="center"),
        st.container(width=PAGE_WIDTH),
    ):
        dateline()
        check_names(next(PARAMETERS[name] for name, (title, _) in PAGES.items() if title == page.title))
        page.run()
        st.caption(f"{NAME} {VERSION}")


if __name__ == "__main__":
    draw()
else:
    from dashboard.routes import explain, routes
    from dashboard.serving import MIDDLEWARE, clear_old_pages, raise_file_limit
    from dashboard.warm import warmed

    clear_old_pages(FOLDER)
    raise_file_limit()
    app = st.App(__file__, routes=routes(), middleware=MIDDLEWARE, on_script_error=explain, lifespan=warmed)
