"""`--cross-section` and `--synthetic`: what explains who lost, and what would have been, on the command line."""

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from rich.table import Table

from dashboard.data.study_inputs import StudyInputs
from dashboard.event_study.explain import CHARACTERISTICS, SMALLER_SEGMENTS
from dashboard.event_study.gaps import simple_returns
from dashboard.event_study.regressors import read_regressors
from dashboard.event_study.report import slopes_table, synthetic_table, weights_table
from dashboard.event_study.study import Study
from dashboard.event_study.synthetic import run_synthetic
from dashboard.views.study_beyond import explain
from etl.errors import UsageError

CROSS_SECTION, SYNTHETIC, WEIGHTS = "cross_section", "synthetic", "synthetic_firms"

CrossSectionOption = Annotated[
    bool,
    typer.Option(
        "--cross-section",
        help="Regress the firms' CARs of the first window on what was known of them before the event.",
    ),
]
RegressorOption = Annotated[
    Path | None,
    typer.Option(
        help="A CSV file (ticker, then columns of numbers) with figures of your own for --cross-section, such as the "
        "share of sales that AI brings; empty where not known.",
        show_default=False,
    ),
]
SyntheticOption = Annotated[
    bool,
    typer.Option("--synthetic", help="Rebuild the group's mean from firms outside AI (a synthetic control)."),
]


def further(
    study: Study,
    inputs: StudyInputs,
    values: pd.Series,
    segments: pd.Series,
    *,
    cross_section: bool,
    synthetic: bool,
    regressor: Path | None = None,
) -> dict[str, pd.DataFrame]:
    """The tables that are asked for, by name.

    `cross_section`: as `run_cross_section` gives them, with base (the segment that those of the segments are
    differences from); `attrs["notes"]` says what is not in it. `synthetic`: the days of `run_synthetic`, its fit and
    placebo p-values in `attrs`. `synthetic_firms`: its donors with their weight. `values` are US dollars by ticker.

    Raises
    ------
    EventStudyError
        When the firms are too few, or the fit before the event is poor.
    UsageError
        When the file of regressors cannot be used, see `read_regressors`, or nothing is to be explained by it.
    """
    if regressor and not cross_section:
        raise UsageError("--regressor would do nothing without --cross-section: leave that away.")
    found = {}
    if cross_section:
        taken = {*CHARACTERISTICS, SMALLER_SEGMENTS, *segments}
        firms = list(study.abnormal_returns.columns)
        own = read_regressors(regressor, firms, taken) if regressor else None
        explained = explain(study, values, segments, study.windows[0], own)
        found[CROSS_SECTION] = explained.slopes.assign(base=explained.base)
        found[CROSS_SECTION].attrs["notes"] = list(explained.notes)
    if synthetic:
        universe = simple_returns(inputs.universe)
        outside = universe.drop(columns=[firm for firm in inputs.treated if firm in universe])
        group = simple_returns(inputs.prices)[list(study.abnormal_returns.columns)]
        rebuilt = run_synthetic(group.mean(axis=1), outside, study.place)
        found[SYNTHETIC] = rebuilt.days.reset_index()
        found[SYNTHETIC].attrs |= {"fit": rebuilt.fit, "p_time": rebuilt.p_time, "p_donors": rebuilt.p_donors}
        weights = rebuilt.donors.join(rebuilt.weights.rename("weight")).sort_values("weight", ascending=False)
        found[WEIGHTS] = weights.rename_axis("firm").reset_index()
    return found


def printed(found: dict[str, pd.DataFrame], study: Study) -> list[Table | str]:
    """The tables for a console, each followed by what is to be known of it."""
    said: list[Table | str] = []
    if CROSS_SECTION in found:
        slopes = found[CROSS_SECTION]
        said += [slopes_table(slopes, study.windows[0]), *(f"Note: {note}" for note in slopes.attrs["notes"])]
    if SYNTHETIC in found:
        said += [synthetic_table(found[SYNTHETIC]), weights_table(found[WEIGHTS])]
    return said
