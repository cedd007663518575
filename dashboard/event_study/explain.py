"""What explains who lost: the firms' CARs regressed on what was known of them before the event.

Of a company's sales the share that AI brings is known for none here; a column of it can be handed in like any other.

The firms are correlated, so the standard errors of such a regression mean nothing. The same regression on the
ordinary windows before the event says how large a slope is when nothing happens (Sefcik and Thompson 1986,
Journal of Accounting Research 24, 316-334; Fama and MacBeth 1973).
"""

import numpy as np
import pandas as pd

from dashboard.event_study.errors import EventStudyError
from dashboard.event_study.panel import FloatArray
from dashboard.event_study.portfolio import block_sums
from dashboard.event_study.study import Study
from dashboard.event_study.windows import Window

# Firms that each slope needs beside the constant, so that it is not a line through two points.
FIRMS_PER_SLOPE = 3
RUN_UP_DAYS = 60
# Firms that a segment needs to have a slope of its own; smaller ones stand together.
FEWEST_OF_SEGMENT = 3
SMALLER_SEGMENTS = "Smaller segments"
CHARACTERISTICS = ("beta", "volatility", "run_up", "size")


def characteristics(study: Study, market_values: pd.Series | None = None) -> pd.DataFrame:
    """What the returns say of each firm before the event, one row a firm.

    Columns: beta (loading on the market; none in the mean-adjusted model), volatility (the model's standard error, a
    day), run_up (the abnormal return of the last 60 estimation days), and size (log of the market value in dollars,
    where handed in).
    """
    table = study.firms[["beta", "sigma"]].rename(columns={"sigma": "volatility"})
    table["run_up"] = study.residuals.tail(RUN_UP_DAYS).sum(min_count=RUN_UP_DAYS // 2)
    if market_values is not None:
        values = market_values.reindex(table.index)
        table["size"] = np.log(values.where(values > 0))
    return table.dropna(axis=1, how="all")


def segment_columns(segments: pd.Series) -> tuple[pd.DataFrame, str]:
    """A column of True and False for each segment but the base, and the base: the segment with the most firms.

    Args:
        segments: firm → segment.

    Segments of one or two firms stand together as `SMALLER_SEGMENTS`, with the next larger one where they are too few
    even so. No column and "" where all firms are then of one segment.
    """
    sizes = segments.value_counts().rename_axis("segment").reset_index(name="firms")
    sizes = sizes.sort_values(["firms", "segment"], ascending=[False, True], kind="stable")
    small = int((sizes["firms"] < FEWEST_OF_SEGMENT).sum())
    while 0 < small < len(sizes) and sizes["firms"].iloc[-small:].sum() < FEWEST_OF_SEGMENT:
        small += 1
    together = set(sizes["segment"].iloc[len(sizes) - small :])
    named = segments.where(~segments.isin(together), SMALLER_SEGMENTS)
    counts = named.value_counts()
    if len(counts) < 2:
        return pd.DataFrame(index=segments.index), ""
    largest = counts.drop(SMALLER_SEGMENTS, errors="ignore")
    base = min(largest.index[largest == largest.max()])
    return pd.DataFrame({name: named == name for name in sorted(counts.index) if name != base}), str(base)


def run_cross_section(study: Study, explain: pd.DataFrame, window: Window) -> pd.DataFrame:
    """Slopes of the CARs over `window` on standardised characteristics, with inference by placebo dates.

    Args:
        study: whose firms' CARs are explained.
        explain: firms × characteristics (numbers; True and False count as 1 and 0), NaN where unknown: such a firm
            is left out. Numbers are scaled to unit standard deviation over the firms, so that a slope is the CAR
            that goes with one standard deviation; columns of two values are not.
        window: one of the study's windows.

    Returns:
        One row a characteristic: name, slope (fraction), low and high (the slope less and plus the 95% range of
        the placebo slopes about zero, as wide as a forecast is unsure), p_value ((1 + placebo slopes as
        large)/(n + 1), two-sided), firms, dates.

    Raises:
        EventStudyError: too few firms for so many characteristics, or one is constant or follows from the others.
    """
    rows = study.car[(study.car["start"] == window[0]) & (study.car["end"] == window[1])].set_index("firm")
    car = rows["car"]
    known = explain.reindex(car.index).astype(float)
    used = car.notna() & known.notna().all(axis=1)
    car, known = car[used], known[used]
    if len(car) < FIRMS_PER_SLOPE * known.shape[1] + 1:
        raise EventStudyError(
            f"{len(car)} firm{' is' if len(car) == 1 else 's are'} too few to explain returns by "
            f"{known.shape[1]} characteristics: "
            f"{FIRMS_PER_SLOPE * known.shape[1] + 1} are needed."
        )
    weights = _weights(_standardise(known))
    slopes = weights @ car.to_numpy()
    placebo = weights @ _stretches(study, car.index, window)
    reached = (np.abs(placebo) >= np.abs(slopes)[:, None]).sum(axis=1)
    half = np.quantile(np.abs(placebo), 0.95, axis=1)
    return pd.DataFrame(
        {
            "name": known.columns,
            "slope": slopes,
            "low": slopes - half,
            "high": slopes + half,
            "p_value": (1 + reached) / (placebo.shape[1] + 1),
            "firms": len(car),
            "dates": placebo.shape[1],
        }
    )


def _stretches(study: Study, firms: pd.Index, window: Window) -> FloatArray:
    """The firms' residuals over every stretch before that all of them have, as unsure as a forecast (N × blocks)."""
    residuals = study.residuals[firms].to_numpy().T
    blocks = block_sums(residuals, window[1] - window[0] + 1) * study.widening(window)
    blocks = blocks[:, np.isfinite(blocks).all(axis=0)]
    if not blocks.shape[1]:
        raise EventStudyError(
            "On no stretch before the event do all these firms have returns: none to compare with."
        )
    return blocks


def _standardise(known: pd.DataFrame) -> FloatArray:
    columns = []
    for name, values in known.items():
        spread = float(values.std())
        if not spread > 1e-12 * float(values.abs().max()):
            raise EventStudyError(f"{str(name)!r} is the same for all firms and explains nothing.")
        two = values.nunique() == 2
        columns.append((values - values.mean()) / (np.ptp(values) if two else spread))
    return np.column_stack(columns)


def _weights(x: FloatArray) -> FloatArray:
    """Portfolio weights whose return is the slope: rows of (X'X)⁻¹X' without the constant's."""
    design = np.column_stack([np.ones(len(x)), x])
    if np.linalg.cond(design) > 1e6:
        raise EventStudyError("Two of the characteristics say the same of every firm: leave one out.")
    return np.asarray(np.linalg.pinv(design)[1:])
