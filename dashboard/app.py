"""The entry point: `streamlit run dashboard/app.py` opens the dashboard."""

import sys
from pathlib import Path

import streamlit as st

FOLDER = Path(__file__).resolve().parent
if str(FOLDER.parent) not in sys.path:
    sys.path.insert(0, str(FOLDER.parent))

MARK = str(FOLDER / "static" / "mark.svg")
PAGE_WIDTH = 1120

st.set_page_config(page_title="AI Market Impact", page_icon=MARK, layout="wide")
st.logo(MARK, size="large")

pages = [
    st.Page("pages/shock.py", title="The DeepSeek shock", default=True),
]
page = st.navigation(pages, position="top")
with st.container(horizontal_alignment="center"), st.container(width=PAGE_WIDTH):
    page.run()
