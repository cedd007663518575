"""What every chart function returns: the figure with the words, the table and the provenance around it."""

from dataclasses import dataclass, field

import pandas as pd
import plotly.graph_objects as go


@dataclass(frozen=True)
class Chart:
    """A chart that can be shown on a page or written to a file.

    `title` says the finding and `subtitle` the measure; `source` names where the figures come from and as of when;
    `alt` describes the picture to someone who does not see it; `table` holds the numbers drawn, with units in the
    column names; `note` holds what a reader must know (the key of the annotations, what is missing); `numbers` is what
    the table is called under an interactive chart.
    """

    name: str
    figure: go.Figure
    title: str
    subtitle: str
    source: str
    alt: str
    table: pd.DataFrame = field(repr=False)
    note: str = ""
    numbers: str = "The numbers"
