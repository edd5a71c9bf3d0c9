"""The check of unrelated means: both models side by side, in words and numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import nma
from coherent import TANGLED, TREE, TWO_ARMS, A, B, C, D, frame, network
from nma.checks import unrelated_means
from nma.errors import ModelError
from nma.priors import HalfNormal, Normal
from nma.structures import Consistency, UnrelatedMeans
from own_models import Regression


def checked(posterior: nma.Posterior, **more: Any) -> Any:
    return unrelated_means(posterior, **more)


def fitted(trials: Sequence[tuple[str, ...]]) -> nma.Posterior:
    return nma.fit(network(frame(trials)))


def test_the_table_is_the_fit_of_unrelated_means() -> None:
    """In a stated order, effects and fit are those that ``fit`` gives."""
    order = [D, C, B, A]
    posterior = fitted(TANGLED)
    table = checked(posterior, order=order)
    own = nma.fit(
        posterior.network, replace(posterior.model, structure=UnrelatedMeans(order=order))
    )
    rows: Any = nma.summary(own)
    for treatment, comparator in table.index:
        row = rows.loc[f"{treatment} vs {comparator}"]
        assert table.loc[(treatment, comparator), "unrelated"] == pytest.approx(row["mean"])
        assert table.loc[(treatment, comparator), "unrelated_lower"] == pytest.approx(row["lower"])
    fit = table.attrs["fit"]["unrelated means"]
    assert fit["DIC"] == pytest.approx(nma.fit_measures.dic(own)["DIC"].iloc[0])
    assert fit["tau"] == pytest.approx(rows.loc["tau", "median"])
    assert any("order: drug D, drug C, drug B, drug A" in note for note in table.notes)


def test_the_network_is_that_of_the_model_at_hand() -> None:
    posterior = fitted(TANGLED)
    table: Any = checked(posterior)
    effects: Any = nma.effect_table(posterior)
    for pair in table.index:
        assert table.loc[pair, "network"] == pytest.approx(effects.loc[pair, "mean"])
    difference = table["unrelated"] - table["network"]
    np.testing.assert_allclose(table["difference"], difference)


def test_on_a_tree_both_models_are_one_and_it_says_so() -> None:
    """By least squares exactly; there is no deviance without a posterior."""
    posterior = nma.fit(network(frame(TREE)), engine=nma.engines.LeastSquares("DL"))
    table = checked(posterior)
    np.testing.assert_allclose(table["difference"], 0, atol=1e-10)
    np.testing.assert_allclose(table["unrelated_sd"], table["network_sd"], rtol=1e-9)
    assert any(note.startswith("No loop:") for note in table.notes)
    assert any("least squares has no posterior" in note for note in table.notes)
    assert not any("No loop:" in note for note in checked(fitted(TWO_ARMS)).notes)


def test_what_dic_says_fits_its_size() -> None:
    tie = next(n for n in checked(fitted(TANGLED)).notes if n.startswith("DIC"))
    assert "too little to prefer either. That does not show consistency" in tie
    prefers = nma.fit(nma.datasets.network("thrombolytics").as_normal())
    here = next(n for n in checked(prefers).notes if n.startswith("DIC"))
    assert "DIC prefers this model by" in here
    assert "That does not show consistency" in here
    assert "tie" not in here


def test_the_caption_says_which_columns_are_not_printed() -> None:
    posterior = nma.fit(nma.datasets.network("back_pain"))
    tables = [checked(posterior), nma.checks.node_splitting(posterior)]
    for table in tables:
        (named,) = re.findall(r"\w+_lower", table.caption)
        assert named in table.columns
        assert named not in table.printed().columns
        assert f"not printed, such as {named}" in table.caption
        assert f"not printed, such as {named}" in " ".join(str(table).split())


def test_trials_count_by_their_baseline() -> None:
    trials = checked(fitted(TANGLED))["trials"]
    assert trials.loc[(B, A)] == 2 + 2 + 1
    assert trials.loc[(C, B)] == 1 + 1
    assert trials.sum() == sum(len(arms) - 1 for arms in TANGLED)


def test_an_inconsistent_loop_is_preferred_open() -> None:
    arms = frame(TWO_ARMS * 4)
    planted = (arms["treatment"] == D) & arms["study"].isin(
        [f"trial {5 + 7 * k}" for k in range(4)]
    )
    arms.loc[planted, "mean"] += 4
    posterior = nma.fit(
        network(arms), nma.Model(heterogeneity=nma.heterogeneity.Random(HalfNormal(0.3)))
    )
    table = checked(posterior)
    fit = table.attrs["fit"]
    assert fit["unrelated means"]["DIC"] < fit["this model"]["DIC"] - 3
    assert fit["unrelated means"]["tau"] < fit["this model"]["tau"]
    (said,) = (note for note in table.notes if "DIC prefers unrelated means" in note)
    assert "tie" not in said
    assert "although they spend more parameters" in said
    assert table["difference"].abs().idxmax() == (D, A)


def test_coefficients_of_a_regression_stay() -> None:
    arms = frame(TANGLED)
    years = arms["study"].str.removeprefix("trial ").astype(float) % 5
    base = Regression(Consistency(Normal(0, 20)), "years", A, 2.0)
    spread = nma.heterogeneity.Random(HalfNormal(1))
    posterior = nma.fit(network(arms.assign(years=years)), nma.Model(base, spread))
    table = checked(nma.at(posterior, years=2.0))
    assert any(note.startswith("The parameters of Regression stay") for note in table.notes)
    plain = checked(nma.fit(network(arms), nma.Model(Consistency(Normal(0, 20)), spread)))
    assert not any("stay" in note for note in plain.notes)
    assert set(table.index) == set(plain.index)


def test_common_effect_models_have_no_tau() -> None:
    model = nma.Model(heterogeneity=nma.heterogeneity.Common())
    table = checked(nma.fit(network(frame(TWO_ARMS)), model))
    assert np.isnan(table.attrs["fit"]["this model"]["tau"])
    assert not any("median tau" in note for note in table.notes)


def test_bad_questions() -> None:
    posterior = fitted(TWO_ARMS)
    with pytest.raises(ModelError, match="'drug D' is left out"):
        checked(posterior, order=[A, B, C])
    with pytest.raises(ModelError, match=r"0\.95"):
        checked(posterior, level=95)
