"""The operator's button that starts a refresh, and what the refresh says."""

import streamlit as st

from dashboard.app_pages.audience import is_operator
from dashboard.refresh import refresh

HOW = (
    "`python -m etl refresh` brings the missing sessions and today’s charts; `python -m etl schedule` does so after "
    "each exchange’s close. Open pages show the new figures without a reload."
)


@st.fragment
def refresh_part() -> None:
    """For the operator: the commands, and a button that starts a refresh, with a pause between two."""
    if not is_operator():
        return
    st.markdown(HOW)
    if st.button("Refresh now", icon=":material/refresh:", disabled=refresh.running, key="refresh"):
        if refresh.start() or not refresh.pause:
            st.rerun(scope="fragment")
        st.info(
            f"A refresh has just ended: the next can start in {refresh.pause:.0f} seconds.",
            icon=":material/hourglass_top:",
        )
    if refresh.started is not None:
        st.fragment(_progress, run_every=1 if refresh.running else None)()


def _progress() -> None:
    """What the refresh has said so far; once it has ended, how."""
    running = refresh.running
    label = f"Refreshing for {refresh.seconds:.0f} seconds…" if running else refresh.ending
    said = st.status(
        label,
        state="running" if running else "complete" if refresh.exit_code == 0 else "error",
        expanded=True,
    )
    said.code("\n".join(refresh.lines) or "Asking the sources…", language=None, height=220)
    if not running and st.session_state.get("_refresh_watched"):
        del st.session_state["_refresh_watched"]
        st.rerun()
    if running:
        st.session_state["_refresh_watched"] = True
