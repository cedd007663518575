"""Every chart of the dashboard by its stable name: add a chart's maker to its view, and the view here."""

from dashboard.views import app_rankings, companies, coverage, event_study, shock
from dashboard.views.request import Maker

CHARTS: dict[str, Maker] = {
    **shock.CHARTS,
    **event_study.CHARTS,
    **companies.CHARTS,
    **app_rankings.CHARTS,
    **coverage.CHARTS,
}
