"""Columns of the arms that are assigned: by treatment or by trial, names checked."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import nma
from nma.errors import DataError, ModelError


def test_columns_come_by_treatment_or_by_trial_and_the_network_stays_as_it_was() -> None:
    network = nma.datasets.network("parkinson")
    told = nma.assign(network, dose={"placebo": 0.0, "ropinirole": 2.0})
    told = nma.assign(told, by="study", year=dict.fromkeys(network.trials, 1999))
    arms = told.arms
    assert set(arms["year"]) == {1999}
    ours = arms[arms["treatment"] == "ropinirole"]
    assert set(ours["dose"]) == {2.0}
    others = arms[~arms["treatment"].isin(["placebo", "ropinirole"])]
    assert others["dose"].isna().all()
    assert not {"dose", "year"} & set(network.arms)
    pd.testing.assert_frame_equal(arms[network.arms.columns], network.arms)
    again = nma.assign(told, dose={"placebo": 1.0})
    assert set(again.arms["dose"].dropna()) == {1.0}
    assert again.sources is network.sources


def test_a_covariate_of_a_table_of_trials_is_the_same_as_a_column() -> None:
    network = nma.datasets.network("bcg").as_normal()
    arms = network.arms
    north = dict(zip(arms["study"], arms["latitude"], strict=True))
    model = [
        nma.Model(nma.structures.Regression(base, name, control="unvaccinated"))
        for base, name in (
            (nma.structures.Consistency(), "latitude"),
            (nma.structures.Consistency(), "north"),
        )
    ]
    made = nma.assign(network, by="study", north=north)
    ours, theirs = (nma.summary(nma.fit(made, one)) for one in model)
    pd.testing.assert_frame_equal(pd.DataFrame(ours), pd.DataFrame(theirs))


def test_every_name_that_is_none_is_refused_with_the_closest() -> None:
    network = nma.datasets.network("parkinson")
    with pytest.raises(DataError) as caught:
        nma.assign(network, dose={"plcebo": 0.0, "ropinirol": 2.0}, weeks={"placebo": 3.0})
    assert len(caught.value.issues) == 2
    assert "column 'dose': 'plcebo' is no treatment" in str(caught.value)
    assert "Did you mean 'placebo'?" in str(caught.value)
    with pytest.raises(DataError, match="is no trial of the network"):
        nma.assign(network, by="study", year={"placebo": 1999})


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({"dose": [1, 2]}, "no mapping: write dose="),
        ({"study": {"placebo": 1}}, "'study' is a column of ours"),
        ({"participants": {"placebo": 1}}, "a column of ours"),
        ({"by": "arm", "dose": {}}, "by='arm' is none of 'treatment', 'study'"),
    ],
)
def test_what_is_no_column_is_refused(question: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        nma.assign(nma.datasets.network("parkinson"), **question)
