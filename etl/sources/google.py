"""Charts of Google Play, best effort: Google has no public feed, so nothing asks for them by default.

The form is the one that the store's page sends, as public clients write it down. Google may change it on any day: an
answer of another form is a failure that is named, never an empty chart, and `import-rankings` is the sure way.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

import duckdb
import httpx
import pandas as pd

from etl.network import Fault, FetchError, explain, explain_status, retrying
from etl.settings import settings
from etl.sources.apple_feed import ranked
from etl.sources.base import Batch, Request, Task
from etl.sources.charts import StoreCharts, chart_rows

HOST = "play.google.com"
ADDRESS = f"https://{HOST}/_/PlayStoreUi/data/batchexecute"
CALL = "vyAe2"
CHARTS = {"top-free": "topselling_free", "top-paid": "topselling_paid", "top-grossing": "topgrossing"}
DEVICE = "phone"
FIELDS = (
    "[64,1,195,71,8,72,9,10,11,139,12,16,145,148,150,151,152,27,30,31,96,32,34,163,100,165,104,169,108,110,113,55,56,"
    "57,122],[null,null,[[[true],null,[[null,[]]],null,null,null,null,[null,2],null,null,null,null,null,null,[1],null,"
    "null,null,null,null,null,null,[1]],[null,[[null,[]]]],[null,[[null,[]]],null,[true]],[null,[[null,[]]]],null,null,"
    "null,null,[[[null,[]]]],[[[null,[]]]]],[[[[7,1],[[1,73,96,103,97,58,50,92,52,112,69,19,31,101,123,74,49,80,38,20,"
    "10,14,79,43,42,139]]]]]],null,null,[[[1,2],[10,8,9],[],[]]]"
)
"""Which fields of an app the store is to send, in its own numbers."""


class GoogleCharts(StoreCharts):
    """The charts of Google Play over all apps."""

    name = "google"

    def __init__(self) -> None:
        """Open a client that keeps to the store."""
        super().__init__(_refuse_others)

    def plan(self, con: duckdb.DuckDBPyConnection | None, request: Request) -> list[Task]:
        """As above, without the charts of a genre: those are Apple's alone."""
        return [task for task in super().plan(con, request) if not task.detail.genre]

    def fetch(self, task: Task) -> Batch:
        """The chart as it stands; its moment is that of the request, since the answer has none."""
        chart, asked = task.detail, settings().ranking_depth
        query = {"rpcids": CALL, "source-path": "/store/apps", "hl": "en", "gl": chart.country}
        wanted = f'[[null,[[8,[20,{asked}]],true,null,{FIELDS}],[2,"{CHARTS[chart.kind]}","APPLICATION"]]]'
        form = {"f.req": json.dumps([[[CALL, wanted, None, "generic"]]])}
        try:
            answer = retrying(lambda: self._client.post(ADDRESS, params=query, data=form))
        except httpx.HTTPError as error:
            raise explain(error, "Google Play") from error
        if answer.status_code >= 400:
            raise explain_status(answer.status_code, "Google Play")
        entries = parse(answer.text)
        rows = chart_rows(
            chart, entries, datetime.now(UTC), self.name, str(answer.url), store="google", device=DEVICE
        )
        short = [f"{len(entries)} entries of the {asked} asked for"] if len(entries) < asked else []
        return Batch(rows, len(entries), short)


def parse(text: str) -> pd.DataFrame:
    """The entries of an answer: ``rank`` from 1 on, ``app_id`` (the package), ``app_name``, ``publisher``.

    Raises
    ------
    FetchError
        When the text is not such an answer, or one without entries.
    """
    try:
        parts = json.loads(text.partition("\n")[2])
        chart = json.loads(next(part[2] for part in parts if part[:2] == ["wrb.fr", CALL]))
        entries = [(app[0][0][0], app[0][3], app[0][14]) for app in chart[0][1][0][28][0]]
    except (ValueError, LookupError, TypeError, StopIteration):
        raise FetchError(
            Fault.SPOILED,
            "Google Play answered in an unknown form; `import-rankings` takes its charts from a file",
        ) from None
    if not entries:
        raise FetchError(Fault.MISSING, "Google Play sent an empty chart")
    return ranked(entries)


def _refuse_others(request: httpx.Request) -> None:
    if request.url.host != HOST:
        raise FetchError(Fault.SPOILED, f"Google Play sent us to another host, {request.url.host[:100]}")
