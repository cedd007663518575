"""Every chart of the dashboard by its stable name: add a chart's maker to its view, and the view here."""

from dashboard.views import app_rankings, companies, coverage, event_study, events, minutes, shock
from dashboard.views.request import Heeds, Maker, heeding

_VIEWS = (shock, minutes, events, event_study, companies, app_rankings, coverage)

HEEDS: dict[str, Heeds] = {name: heeds for view in _VIEWS for name, heeds in view.HEEDS.items()}
"""What each chart heeds of a request."""

CHARTS: dict[str, Maker] = {
    name: heeding(make, HEEDS[name]) for view in _VIEWS for name, make in view.CHARTS.items()
}
