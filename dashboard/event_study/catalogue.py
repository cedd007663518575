"""The tests by name: what each does, and which allow for firms that share the event date at all.

Whether a test holds for a group, its gaps and a window is measured: see `validity`.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Test:
    """A test: the fewest firms it can be run on, and whether it allows for firms that move together.

    `with_gaps` says whether it still does when days are missing, `most_firms` up to how many firms (None: any number).
    """

    __test__ = False

    name: str
    title: str
    allows_correlation: bool
    firms_needed: int
    note: str
    with_gaps: bool = True
    most_firms: int | None = None

    def allows(self, panels: tuple[str, ...], firms: int) -> bool:
        """Whether the test may hold for so many firms that move together in panels of these kinds."""
        few = self.most_firms is None or firms <= self.most_firms
        return few and self.allows_correlation and (self.with_gaps or panels == ("complete",))


_INDEPENDENT = "Assumes independent firms; with a shared event date it rejects far too often."

TESTS: dict[str, Test] = {
    test.name: test
    for test in (
        Test("cross_sectional", "Cross-sectional t", False, 2, _INDEPENDENT),
        Test(
            "crude_dependence",
            "Crude dependence adjustment (Brown and Warner)",
            True,
            1,
            "The group's average against its own estimation-window volatility, whatever firms it is of each day.",
            with_gaps=False,
        ),
        Test(
            "portfolio_regression",
            "Portfolio regression with event dummies",
            True,
            1,
            "The equal-weight portfolio's dummy t-ratio, with forecast error.",
        ),
        Test("patell", "Patell Z", False, 1, _INDEPENDENT),
        Test(
            "patell_adjusted",
            "Patell Z, adjusted for correlation",
            True,
            2,
            "Patell's Z deflated by the mean correlation of the residuals.",
        ),
        Test("bmp", "Standardised cross-sectional t (BMP)", False, 2, _INDEPENDENT),
        Test(
            "kolari_pynnonen",
            "BMP adjusted for correlation (Kolari-Pynnönen)",
            True,
            2,
            "Has little power when the group mixes winners and losers. In a group of more than 20 whose firms share "
            "the common shock very unequally it rejects too rarely.",
            # With loadings from 0 to .9 it rejects 3.6% of 20 firms, 3.4% of 30, 2.8% of 60 (8,000 draws or more).
            # With the correlations of the bundle's AI companies: 4.0% of one day, 3.1% of three (46 firms, normal,
            # 4,000 draws); 6.1% and 4.8% with their days drawn again as they were (40 firms, 2,000 draws).
            most_firms=20,
        ),
        Test(
            "corrado_rank",
            "Corrado rank",
            True,
            1,
            "Ranks over the estimation window and the event window (of a window: its own days).",
        ),
        Test(
            "corrado_zivney",
            "Corrado-Zivney uniform rank",
            True,
            1,
            "Corrado's ranks scaled for missing days of independent firms; the same on complete data.",
            with_gaps=False,
        ),
        Test(
            "grank_t",
            "Generalised rank t (GRANK-T)",
            True,
            2,
            "Ranks the window's standardised CAR among the estimation-window residuals.",
        ),
        Test("generalized_sign", "Generalised sign (Cowan)", False, 1, _INDEPENDENT),
        Test("sign", "Sign", False, 1, _INDEPENDENT),
        Test("wilcoxon", "Wilcoxon signed rank", False, 1, _INDEPENDENT + " The statistic is W+."),
        Test(
            "placebo",
            "Placebo in time",
            True,
            1,
            "Share of stretches before with an average as large, the event counted in: with none of 250 days p is "
            "0.004. The statistic is the average itself.",
        ),
    )
}
