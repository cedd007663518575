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
LONGEST_REQUEST = 1 << 20


def draw() -> None:
    """The frame of every page, and the page that the address names in it."""
    from dashboard.pages import PAGES
    from dashboard.pages.shared import dateline

    st.set_page_config(page_title="AI Market Impact", page_icon=MARK, layout="wide")
    st.logo(MARK, size="large")
    st.html(FOLDER / "style.css")
    page = st.navigation(
        [
            st.Page(f"pages/{name}.py", title=title, url_path=path, default=path is None)
            for name, (title, path) in PAGES.items()
        ],
        position="top",
    )
    with st.container(horizontal_alignment="center"), st.container(width=PAGE_WIDTH):
        dateline()
        page.run()


if __name__ == "__main__":
    draw()
else:
    from streamlit.runtime.pages_manager import PagesManager
    from uvicorn.protocols.http import h11_impl

    from dashboard.routes import explain, routes
    from dashboard.warm import warmed

    # Until a first reader has been through `st.navigation`, Streamlit would serve each file of `pages/` by itself.
    PagesManager.uses_pages_directory = False
    # An address of 100 kB opens a page, even when it comes in pieces; Streamlit has no setting that says so.
    h11_impl.DEFAULT_MAX_INCOMPLETE_EVENT_SIZE = LONGEST_REQUEST

    app = st.App(__file__, routes=routes(), on_script_error=explain, lifespan=warmed)
