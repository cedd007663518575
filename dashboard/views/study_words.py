"""What an event study says, in sentences for a reader who is not a statistician."""

import pandas as pd
from scipy.special import stdtrit

from dashboard.charts import words
from dashboard.charts.event_study import spell
from dashboard.event_study import TESTS, simple_returns
from dashboard.views.study_answer import LEVEL, Answer
from dashboard.views.study_listings import MOST_NAMED

# The chance of finding it at which an effect counts as one that the design could have seen.
POWER = 0.8
# The p-value below which a test rejects; 1 - LEVEL is a little more in floating point, and takes 5% itself in.
REJECTED = 0.05
# The fold of the page that says how volatile the day was.
UNUSUAL = "Was the day itself unusual?"
# The rate at 5% on a volatile day above which a test rejects too often.
TOO_OFTEN = 0.075


def evidence(answer: Answer) -> str:
    """Which of the tests that hold reject and which do not, the smallest effect that could have been seen, and how far
    the other benchmarks agree."""
    return " ".join(filter(None, (_verdict(answer), _smallest(answer), _otherwise(answer))))


def estimate(answer: Answer) -> str:
    """The abnormal return with its band, the raw return, and what the benchmark itself did."""
    start, end = answer.question.window
    inside = answer.study.aar.loc[start:end]
    raw, firms = float(inside["mean_return"].sum()), int(inside["n"].min())
    caar, low, high = answer.study.estimate((start, end))
    single = start == end == 0
    when = f"On {words.day(answer.study.event_session.date())}" if single else f"Over {spell((start, end))}"
    who = _who(answer, firms)
    if firms > 1 and not answer.question.tickers and (short := too_short(answer)):
        who += f", without {words.listed(short)} (too few earlier sessions),"
    moved = f"{when} {who} {_moved(raw)}{' on average' if firms > 1 else ''}"
    own = _own_return(answer)
    return (
        f"{moved}{own}. Their abnormal return, what is left beyond {answer.benchmark}, is {words.percent(caar, 1)} "
        if firms > 1
        else f"{moved}{own}. Its abnormal return, what is left beyond {answer.benchmark}, is {words.percent(caar, 1)} "
    ) + f"(95% band {words.percent(low)} to {words.percent(high)})."


def _who(answer: Answer, firms: int) -> str:
    """The firms studied, of which so many have a return on every session of the window."""
    every = answer.study.abnormal_returns.shape[1]
    count = f"the {firms}" if firms == every else f"{firms} of the {every}"
    if not answer.question.tickers and every > 1:
        return f"{count} firms of “{answer.group}”"
    return answer.group if firms == every <= MOST_NAMED else f"{count} chosen companies"


def too_short(answer: Answer) -> list[str]:
    """The firms of the group that moved in the event's session and have too few sessions before it to be fitted."""
    returns = simple_returns(answer.inputs.prices).reindex([answer.study.event_session])
    moved = set(returns.columns[returns.notna().all()])
    return [answer.names[firm] for firm in answer.study.dropped["firm"] if firm in moved]


def _moved(change: float) -> str:
    size = words.percent(abs(change), 1, plus=False)
    if size == words.percent(0.0, 1, plus=False):
        return "hardly moved"
    return f"fell {size}" if change < 0 else f"rose {size}"


def _own_return(answer: Answer) -> str:
    row = answer.check[answer.check["benchmark"] == answer.question.benchmark]
    if row.empty or answer.question.model in ("mean", "capm", "ff3", "carhart", "ff5"):
        return ""
    return f", and {answer.benchmark} itself {_moved(float(row['benchmark_return'].iloc[0]))}"


def _verdict(answer: Answer) -> str:
    tests = answer.tests
    valid = tests[tests["valid_with_common_date"] & tests["p_value"].notna()]
    valid = valid[valid["test"] != "corrado_zivney"] if "corrado_rank" in set(valid["test"]) else valid
    if valid.empty:
        return "No test has been shown to hold in such a case, so that no p-value is given."
    one = answer.study.abnormal_returns.shape[1] == 1
    said = _counted(valid, "one firm" if one else "such a group")
    return f"{said} {_storm(valid, tests_of_day(answer), _cautious(answer))}{_single(answer)}".strip()


def _counted(valid: pd.DataFrame, whom: str) -> str:
    """How many of the tests that hold reject, and which do not."""
    reject = valid["p_value"] < REJECTED
    count, every = int(reject.sum()), len(valid)
    if every == 1:
        verb = "rejects" if count else "does not reject"
        said = f"The one test that holds for {whom} {verb} chance at 5%"
    elif count == every:
        said = f"{'Both' if every == 2 else f'All {every}'} tests that hold for {whom} reject chance at 5%"
    elif count:
        kept = [f"{_name(row.test)} (p {_equals(row.p_value)})" for row in valid[~reject].itertuples()]
        said = (
            f"{count} of the {every} tests that hold for {whom} reject{'s' if count == 1 else ''} chance at 5%; "
            f"{words.listed(kept)} {'does' if len(kept) == 1 else 'do'} not"
        )
    else:
        none = "Neither" if every == 2 else "None"
        said = f"{none} of the {every} tests that hold for {whom} rejects chance at 5%"
    return f"{said}." if count else f"{said}, which does not show that nothing happened."


def tests_of_day(answer: Answer) -> pd.DataFrame:
    """The tests that hold when the day is more volatile than others, and could be computed."""
    return answer.tests[answer.tests["valid_with_volatile_day"] & answer.tests["p_value"].notna()]


def _cautious(answer: Answer) -> pd.DataFrame:
    """The tests whose one fault in a group as large as this is that they may reject too rarely."""
    firms = answer.study.abnormal_returns.shape[1]
    tests = answer.tests[answer.tests["p_value"].notna()]
    large = tests["test"].map(lambda name: firms > (TESTS[name].most_firms or firms))
    return tests[large & (tests["size_volatile_day"] <= TOO_OFTEN)]


def _storm(valid: pd.DataFrame, loud: pd.DataFrame, cautious: pd.DataFrame) -> str:
    if loud.empty:
        named = [
            f"{_name(row.test)}, which then errs by rejecting too rarely and "
            f"{'rejects' if row.p_value < REJECTED else 'does not reject'} (p {_equals(row.p_value)}), and "
            for row in cautious.itertuples()
        ]
        return (
            "No test here allows for a day that is itself more volatile than others: "
            f"read {''.join(named)}under “{UNUSUAL}” whether this one was."
        )
    if set(valid["test"]) <= set(loud["test"]):
        return ""
    named = [f"{_name(row.test)} (p {_equals(row.p_value)})" for row in loud.itertuples()]
    return f"If the day was also more volatile than others, only {words.listed(named)} can be relied on."


def _single(answer: Answer) -> str:
    if answer.study.abnormal_returns.shape[1] > 1:
        return ""
    start, end = answer.question.window
    rank = ", and Corrado’s rank test cannot reach 5% on a single day" if start == end else ""
    return f" With one firm, no test that compares firms can be run{rank}."


def _smallest(answer: Answer) -> str:
    study, window = answer.study, answer.question.window
    error, df = study.standard_error(window), study.degrees_of_freedom
    seen = (stdtrit(df, (1 + LEVEL) / 2) + stdtrit(df, POWER)) * error
    if pd.isna(seen):
        return ""
    size = words.percent(float(seen), plus=False)
    effect = f"The smallest effect that this design would have found four times in five is {size}."
    firms = int(answer.cars["car"].notna().sum())
    if firms <= 1:
        return effect
    out = int((answer.cars["placebo_p_bh"] < REJECTED).sum())
    which = (
        "No firm stands out by itself"
        if not out
        else "One firm stands out by itself"
        if out == 1
        else f"{'Both' if out == 2 else f'All {out}'} firms stand out by themselves"
        if out == firms
        else f"{out} of the {firms} firms stand out by themselves"
    )
    return f"{effect} {which} (false discovery rate 5%)."


def _otherwise(answer: Answer) -> str:
    """Between what the abnormal return lies against the other benchmarks; nothing where the model has none."""
    others = answer.check.loc[answer.check["benchmark"] != answer.question.benchmark, "caar"].dropna()
    if answer.question.model not in ("market", "market-adjusted") or len(others) < 2:
        return ""
    least, most = float(others.min()), float(others.max())
    own = answer.study.estimate(answer.question.window)[0]
    turns = round(min(least, own), 3) < 0 < round(max(most, own), 3)
    ends = f"between {words.percent(least, 1)} and {words.percent(most, 1)}"
    if turns:
        return f"Its sign depends on the benchmark: against the others the abnormal return lies {ends}."
    return f"Against the other benchmarks the abnormal return lies {ends}."


def silent(answer: Answer) -> list[str]:
    """A sentence on the firms that were fitted and have no price on a session of the window; none without such."""
    known = set(answer.cars.loc[answer.cars["car"].notna(), "firm"])
    names = [answer.names[firm] for firm in answer.study.abnormal_returns.columns if firm not in known]
    return (
        [f"Without a price on a session of the window, and so not in it: {words.listed(names)}."]
        if names
        else []
    )


def confounding(answer: Answer) -> list[str]:
    """What else happened: events on the same session, in the event window, in the estimation window."""
    found, said = answer.confounded, []
    around = max(map(abs, answer.study.span))
    for where, text in (
        ("same session", "On the same session, so that their effects cannot be told apart: {}."),
        ("event window", f"Within {around} sessions: {{}}."),
    ):
        rows = found[found["where"] == where]
        if len(rows):
            named = [_titled(row.title, int(row.day)) for row in rows.itertuples()]
            said.append(text.format(words.listed(named)))
    count = int((found["where"] == "estimation window").sum())
    if count and answer.caar_otherwise is not None:
        state = ("left out of", "in") if answer.question.exclude else ("in", "left out of")
        said.append(
            f"{count} other event{'s lie' if count > 1 else ' lies'} in the estimation window and "
            f"{'are' if count > 1 else 'is'} {state[0]} it; {state[1]} it, the abnormal return is "
            f"{words.percent(answer.caar_otherwise, 2)}."
        )
    return said


def _titled(title: str, day: int) -> str:
    sign = "+" if day > 0 else words.MINUS
    return f"“{title}”" if day == 0 else f"“{title}” (session {sign}{abs(day)})"


def _name(test: str) -> str:
    """A test inside a sentence: those named after people keep their capital."""
    title = TESTS[test].title.partition(" (")[0]
    named = test in ("corrado_rank", "corrado_zivney", "patell", "patell_adjusted", "kolari_pynnonen", "bmp")
    return title if named or title[:2].isupper() else f"the {title[0].lower()}{title[1:]}"


def spell_p(value: float) -> str:
    """A p-value in words: "< 0.001", three decimals, a fourth where it would read as 0.050; "–" where there is none."""
    if pd.isna(value):
        return "–"
    shown = f"{value:.3f}"
    return "< 0.001" if value < 0.001 else f"{value:.4f}" if shown == "0.050" else shown


def _equals(value: float) -> str:
    text = spell_p(value)
    return text if text.startswith("<") else f"= {text}"
