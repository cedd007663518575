"""A reader's own figures on each firm, from a CSV file to the slopes of the cross-section."""

import numpy as np
import pandas as pd
import pytest
from simulated import EVENT, panel

from dashboard.event_study import run_study
from dashboard.event_study.regressors import read_regressors
from dashboard.views.study_beyond import SHARE_UNKNOWN, explain
from etl.errors import UsageError

FIRMS = ["NVDA", "AMD", "MU"]


def written(tmp_path, text):
    path = tmp_path / "own.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_a_file_gives_each_firm_its_figures_whatever_its_order_and_case(tmp_path):
    path = written(
        tmp_path, "\ufeffname, ticker ,AI share,staff\nx,mu,.2,1e3\nx, nvda,0.8,\nx,AMD,-1,7\nx,IBM,no,no\n"
    )
    with pytest.raises(UsageError, match="has no number for NVDA under 'name': 'x'"):
        read_regressors(path, FIRMS)
    found = read_regressors(written(tmp_path, path.read_text("utf-8").replace("x,", ",")), FIRMS)
    assert list(found.columns) == ["AI share", "staff"]
    assert found.loc[FIRMS].to_numpy().tolist()[1:] == [[-1.0, 7.0], [0.2, 1000.0]]
    assert found.at["NVDA", "AI share"] == 0.8
    assert np.isnan(found.at["NVDA", "staff"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ticker,share\nNVDA,1\nMU,2\n", "has no row for AMD: add one, left empty"),
        ("ticker,share\nNVDA,1\nMU,2\nAMD,1\nnvda,3\n", "has two rows for NVDA"),
        ("ticker,share\nNVDA,12%\nMU,2\nAMD,1\n", "no number for NVDA under 'share': '12%'"),
        ("ticker,share\nNVDA,1\nMU,inf\nAMD,1\n", "no number for MU under 'share': 'inf'"),
        ("ticker,beta\nNVDA,1\nMU,2\nAMD,1\n", "has a column 'beta', which the cross-section has already"),
        ("firm,share\nNVDA,1\n", "needs a column ticker"),
        ("ticker\nNVDA\n", "needs a column ticker and one of numbers"),
        ("", "is not a CSV file"),
        (b"ticker,sh\xe4re\n", "is not a CSV file in UTF-8"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_by_what_is_wrong_in_it(tmp_path, text, words):
    with pytest.raises(UsageError, match=words):
        read_regressors(written(tmp_path, text), FIRMS, {"beta"})


def test_a_figure_that_equals_the_loss_explains_all_of_it_and_one_not_known_leaves_the_firm_out():
    returns, market = panel(firms=20)
    study = run_study(returns, market, returns.index[EVENT], windows=((0, 0),))
    car = study.car.set_index("firm")["car"]
    own = pd.DataFrame({"loss": car}).mask(car.index.to_numpy()[:, None] == "F003")
    found = explain(study, pd.Series(dtype=float), pd.Series("Chips", car.index), (0, 0), own)
    slopes = found.slopes.set_index("name")["slope"]
    assert slopes["loss"] == pytest.approx(car.drop("F003").std())
    assert slopes.drop("loss").to_numpy() == pytest.approx(0, abs=1e-12)
    assert found.notes == ("Left out: 1 of the 20 firms, of which the loss is not known.",)
    without = explain(study, pd.Series(dtype=float), pd.Series("Chips", car.index), (0, 0))
    assert without.notes == (SHARE_UNKNOWN,)
