"""Models of the normal (expected) return.

Sources: MacKinlay (1997, Journal of Economic Literature 35, 13-39) for the mean-adjusted, market-adjusted and
market model; Dimson (1979) for the market of the day before and after; Fama and French (1993, 2015) and Carhart
(1997) for the factor models.
"""

from dataclasses import dataclass

from dashboard.event_study.errors import EventStudyError

MARKET = "market"
LAG, LEAD = "market-1", "market+1"
RISK_FREE = "RF"

FACTOR_ALIASES = {
    "Mkt-RF": ("mkt-rf", "mkt_rf", "mktrf", "mkt rf", "market-rf"),
    "SMB": ("smb",),
    "HML": ("hml",),
    "RMW": ("rmw",),
    "CMA": ("cma",),
    "Mom": ("mom", "umd", "wml"),
    RISK_FREE: ("rf", "risk-free", "risk_free", "riskfree"),
    MARKET: ("market", "mkt", "mktret", "rm", "benchmark"),
}


@dataclass(frozen=True)
class Model:
    """How the return that a firm would have had without the event is estimated.

    `factors` are the regressors besides the constant; `excess` says that the risk-free rate is taken off the
    firm's return; `subtract_market` that the market's return is (market-adjusted model).
    """

    name: str
    title: str
    factors: tuple[str, ...] = ()
    constant: bool = True
    excess: bool = False
    subtract_market: bool = False

    @property
    def parameters(self) -> int:
        """Number k of estimated coefficients."""
        return len(self.factors) + int(self.constant)

    @property
    def needs_market(self) -> bool:
        """Whether the market's return or factors are read at all."""
        return bool(self.factors) or self.subtract_market


_THREE = ("Mkt-RF", "SMB", "HML")

MODELS: dict[str, Model] = {
    model.name: model
    for model in (
        Model("mean", "Mean-adjusted returns"),
        Model("market-adjusted", "Market-adjusted returns", constant=False, subtract_market=True),
        Model("market", "Market model", (MARKET,)),
        Model("dimson", "Market model with a lag and a lead (Dimson)", (MARKET, LAG, LEAD)),
        Model("capm", "Capital asset pricing model", ("Mkt-RF",), excess=True),
        Model("ff3", "Fama-French three factors", _THREE, excess=True),
        Model("carhart", "Carhart four factors", (*_THREE, "Mom"), excess=True),
        Model("ff5", "Fama-French five factors", (*_THREE, "RMW", "CMA"), excess=True),
    )
}


def find_model(name: str) -> Model:
    """The model called `name`; raises EventStudyError naming the choices."""
    if name not in MODELS:
        raise EventStudyError(f"There is no model {name!r}; choose one of {', '.join(MODELS)}.")
    return MODELS[name]
