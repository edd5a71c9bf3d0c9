"""Structures of inconsistency: priors, refusals, and the laws they keep."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import nma
import own_models
from coherent import DRUGS, TANGLED, TREE, TWO_ARMS, A, B, C, D, frame, network
from nma.checks._without import without
from nma.errors import ModelError
from nma.priors import HalfNormal, Normal
from nma.protocols import Structure
from nma.structures import (
    Consistency,
    DesignByTreatment,
    NodeSplit,
    RandomInconsistency,
    UnrelatedMeans,
)

WIDE = Consistency(Normal(0, 20))
RANDOM = nma.heterogeneity.Random(HalfNormal(1))
WRONG: dict[str, Any] = {
    "rule": "base",
    "prior": HalfNormal(1),
    "number": 0.5,
    "kind": HalfNormal,
}
REFUSING: dict[str, Structure] = {
    "unrelated means": UnrelatedMeans(),
    "node-split": NodeSplit(Consistency(), A, C),
    "design by treatment": DesignByTreatment(Consistency()),
}


def told(posterior: nma.Posterior) -> Any:
    return nma.summary(posterior)


def fitted(structure: Structure, trials: Sequence[tuple[str, ...]] | None = None) -> nma.Posterior:
    made = network(frame(TANGLED if trials is None else trials))
    return nma.fit(made, nma.Model(structure, RANDOM))


def evidence(posterior: nma.Posterior) -> float:
    assert posterior.draws.moments is not None
    return posterior.draws.moments.log_evidence


def test_default_priors_are_sized_by_the_unit() -> None:
    """SD 10 units for effects and inconsistency, half a unit for the scale; each says so."""
    made = network(frame(TANGLED))
    unit = made.unit[0]
    split = NodeSplit(Consistency(), A, C).resolve(made)
    assert split.inconsistency == Normal(0, 10 * unit)
    assert "default: 10 units" in split.inconsistency.origin
    assert DesignByTreatment(Consistency()).resolve(made).inconsistency == Normal(0, 10 * unit)
    assert UnrelatedMeans().resolve(made).effect == Normal(0, 10 * unit)
    spread = RandomInconsistency(Consistency()).resolve(made).tau_w
    assert spread == HalfNormal(unit / 2)
    posterior = nma.fit(made, nma.Model(RandomInconsistency(Consistency())))
    assert any("tau_w ~ HalfNormal" in line for line in posterior.priors)


@pytest.mark.parametrize("name", REFUSING)
def test_ranks_and_league_tables_are_refused_with_the_reason(name: str) -> None:
    posterior = fitted(REFUSING[name])
    verbs: list[Any] = [
        nma.league_table,
        nma.relative_effects,
        nma.predictive_effects,
        nma.ranks,
        nma.rank_probabilities,
        nma.sucra,
        nma.p_best,
        lambda asked: nma.at(asked, treatments=[A, B]),
    ]
    for verb in verbs:
        with pytest.raises(ModelError, match="league tables and ranks are not defined"):
            verb(posterior)


def test_random_inconsistency_ranks_by_the_average_over_designs() -> None:
    posterior = fitted(RandomInconsistency(WIDE))
    assert nma.sucra(posterior)["sucra"].mean() == pytest.approx(0.5)
    narrow = told(fitted(WIDE))["sd"].iloc[:-1]
    assert (told(posterior)["sd"].loc[narrow.index] > narrow).all()


@pytest.mark.parametrize(
    ("a", "b", "reason"),
    [
        (A, "drug E", "'drug E' is unknown. Did you mean"),
        (A, A, "treatment against itself"),
        (A, C, "no trial compares them"),
        (C, D, "no other trials connect them"),
    ],
)
def test_what_cannot_be_split_is_refused_with_what_can(a: str, b: str, reason: str) -> None:
    trials = [(A, B), (B, C), (B, D), (A, D), (C, D)] if reason.startswith("no trial") else TREE
    with pytest.raises(ModelError, match=reason) as caught:
        NodeSplit(Consistency(), a, b).resolve(network(frame(trials)))
    if "connect" in reason or "no trial" in reason:
        assert "Comparisons that can:" in str(caught.value)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: NodeSplit(WIDE, A, B, inconsistency=Normal(1, 2)), "mean zero"),
        (lambda: NodeSplit(WIDE, A, B, multiarm=WRONG["rule"]), "none of 'symmetric', 'baseline'"),
        (lambda: DesignByTreatment(WIDE, inconsistency=WRONG["prior"]), "mean zero"),
        (lambda: RandomInconsistency(WIDE, tau_w=WRONG["number"]), "nma.priors.Fixed"),
        (lambda: RandomInconsistency(WIDE, tau_w=WRONG["kind"]), "is not a prior"),
        (lambda: UnrelatedMeans(order=A), "is one name"),
        (lambda: UnrelatedMeans(effect=Normal(1, 1)), "mean zero"),
    ],
)
def test_bad_arguments(make: Any, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        make()


def test_an_order_names_every_treatment_once() -> None:
    made = network(frame(TREE))
    with pytest.raises(ModelError, match=r"'drug C' is left out\. Did you mean 'drg C'\?"):
        UnrelatedMeans(order=[A, B, "drg C", D]).resolve(made)
    with pytest.raises(ModelError, match="'drug A' comes twice"):
        UnrelatedMeans(order=[A, A, B, C, D]).resolve(made)


def test_symmetric_splits_mirror_each_other() -> None:
    """Exactly, with multi-arm trials too: w of (A, C) is minus that of (C, A)."""
    forward, backward = fitted(NodeSplit(WIDE, A, C)), fitted(NodeSplit(WIDE, C, A))
    assert evidence(forward) == pytest.approx(evidence(backward), abs=1e-9)
    w = [told(posterior).iloc[-2] for posterior in (forward, backward)]
    assert w[0]["mean"] == pytest.approx(-w[1]["mean"], rel=1e-8)
    assert w[0]["lower"] == pytest.approx(-w[1]["upper"], rel=1e-7)


def test_both_rules_are_one_on_two_arm_trials_and_two_on_others() -> None:
    rules = [NodeSplit(WIDE, A, C), NodeSplit(WIDE, A, C, multiarm="baseline")]
    two = [evidence(fitted(rule, TWO_ARMS)) for rule in rules]
    assert two[0] == pytest.approx(two[1], abs=1e-9)
    several = [evidence(fitted(rule)) for rule in rules]
    assert several[0] != pytest.approx(several[1], abs=1e-4)


@pytest.mark.parametrize(
    "structure", [DesignByTreatment(WIDE), RandomInconsistency(WIDE), NodeSplit(WIDE, A, C)]
)
def test_names_and_the_order_of_rows_change_no_number(structure: Structure) -> None:
    """Renamed so that their order turns round, and shuffled."""
    other = dict(zip(DRUGS, ["z", "y", "x", "w"], strict=True))
    arms = frame(TANGLED)
    renamed = arms.assign(treatment=arms["treatment"].map(other)).sample(frac=1, random_state=1)
    turned: Structure = structure
    if isinstance(structure, NodeSplit):
        turned = NodeSplit(WIDE, other[A], other[C])
    here = nma.fit(network(arms), nma.Model(structure, RANDOM))
    there = nma.fit(network(renamed), nma.Model(turned, RANDOM))
    assert evidence(here) == pytest.approx(evidence(there), abs=1e-9)
    scales = [told(posterior).loc["tau"].dropna() for posterior in (here, there)]
    np.testing.assert_allclose(scales[0], scales[1], rtol=1e-6)
    fits = [nma.fit_measures.dic(posterior)["DIC"].iloc[0] for posterior in (here, there)]
    assert fits[0] == pytest.approx(fits[1], abs=1e-6)


def test_random_inconsistency_is_the_same_model_with_a_column_for_every_arm() -> None:
    """A column for all treatments of a design but one, or iid columns for all of them."""
    ours = fitted(RandomInconsistency(WIDE, tau_w=HalfNormal(0.5)))
    toy = fitted(own_models.RandomInconsistency(WIDE, HalfNormal(0.5)))
    assert evidence(ours) == pytest.approx(evidence(toy), abs=1e-7)
    for name in ("tau", "tau_w"):
        numbers = [told(posterior).loc[name].dropna() for posterior in (ours, toy)]
        np.testing.assert_allclose(numbers[0], numbers[1], rtol=1e-5)


def test_no_inconsistency_is_consistency() -> None:
    """tau_w near zero, or w near zero: the evidence is that of the base."""
    base = evidence(fitted(WIDE))
    tiny = nma.priors.Fixed(1e-9)
    assert evidence(fitted(RandomInconsistency(WIDE, tau_w=tiny))) == pytest.approx(base, abs=1e-7)
    none = Normal(0, 1e-9)
    for structure in (
        NodeSplit(WIDE, A, C, inconsistency=none),
        DesignByTreatment(WIDE, inconsistency=none),
    ):
        assert evidence(fitted(structure)) == pytest.approx(base, abs=1e-7)


def test_by_least_squares_unrelated_means_are_consistency_on_a_tree() -> None:
    engine = nma.engines.LeastSquares("DL")
    made = network(frame(TREE))
    plain = nma.fit(made, engine=engine)
    own = nma.fit(made, nma.Model(UnrelatedMeans()), engine=engine)
    theirs: Any = nma.effect_table(plain)
    for name, row in told(own).iloc[:-1].iterrows():
        treatment, comparator = str(name).split(" vs ")
        expected = theirs.loc[(treatment, comparator)]
        assert row["mean"] == pytest.approx(expected["mean"], abs=1e-10)
        assert row["sd"] == pytest.approx(expected["sd"], abs=1e-10)


def test_by_least_squares_design_by_treatment_leaves_q_within_designs() -> None:
    """Senn 2013 under a common effect: 74.45528 on 11, by netmeta."""
    model = nma.Model(DesignByTreatment(Consistency()), nma.heterogeneity.Common())
    posterior = nma.fit(
        nma.datasets.network("senn2013"), model, engine=nma.engines.LeastSquares("common")
    )
    numbers = told(posterior).attrs
    assert numbers["Q"] == pytest.approx(74.45528, abs=1e-5)
    assert numbers["df"] == 11


def test_a_star_has_designs_but_no_inconsistency() -> None:
    """Designs of their own fit a star as consistency does: by least squares nothing is left."""
    made = network(frame([(A, B), (A, B), (A, C), (A, D), (A, D)]))
    engine = nma.engines.LeastSquares("common")
    common = nma.heterogeneity.Common()
    models = [nma.Model(Consistency(), common), nma.Model(DesignByTreatment(Consistency()), common)]
    found = [told(nma.fit(made, model, engine=engine)).attrs for model in models]
    assert found[0]["Q"] == pytest.approx(found[1]["Q"], abs=1e-10)
    assert found[0]["df"] == found[1]["df"]


def test_structures_stand_on_each_other() -> None:
    """A split of a regression, of components and of random inconsistency, each with its columns."""
    arms = frame(TANGLED)
    years = arms["study"].str.removeprefix("trial ").astype(float) % 5
    made = network(arms.assign(years=years))
    bases: list[Structure] = [
        own_models.Regression(WIDE, "years", A, 2.0),
        own_models.Components(A, 20.0),
        RandomInconsistency(WIDE),
    ]
    for base in bases:
        split = nma.fit(made, nma.Model(NodeSplit(base, A, C), RANDOM))
        without = nma.fit(made, nma.Model(base, RANDOM))
        names = split.problem.parameters.names
        assert names[:-1] == without.problem.parameters.names
        assert not split.poor


def test_what_a_check_drops_moves_no_prior_and_needs_no_new_order() -> None:
    """Leaving a trial out of unrelated means keeps the order, even where a treatment goes."""
    made = network(frame([*TWO_ARMS, (A, "drug Z")]))
    posterior = nma.fit(made, nma.Model(UnrelatedMeans(), RANDOM))
    left = without(made, "trial 7")
    assert left is not None
    again = nma.fit(left, posterior.model)
    assert again.model.structure == posterior.model.structure
    assert not any("drug Z" in name for name in again.problem.parameters.names)
