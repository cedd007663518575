"""Every chart of the dashboard by its stable name: add a chart's maker to its view, and the view here."""

from dashboard.views import companies, shock
from dashboard.views.request import Maker

CHARTS: dict[str, Maker] = {**shock.CHARTS, **companies.CHARTS}
