"""Depression in primary care (Linde et al. 2016) as components: netmeta's netcomb and discomb.

Least squares to one part in a million, and the posterior beside it. netcomb takes the additive
model of Ruecker, Petropoulou and Schwarzer 2020 (doi:10.1002/bimj.201800167), Placebo inactive.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

import nma
from netcomb import ADDITIVE, INTERACTIONS, STANDARD, VERSUS_SSRI, Fit, Numbers
from nma.priors import Fixed, HalfNormal, Normal
from nma.problem import Contrasts
from nma.structures import Components, Consistency
from published import Key, assert_near, exactly
from sources import METAFOR, NETMETA, Place

COMPONENTS = Components(separator=" + ", inactive="Placebo")
TAUS = ("common", "DL")
Piece = tuple[float, float]
NETWORK = "depression in primary care"


def run(function: str, tau: str = "DL") -> Place:
    return NETMETA.at(NETWORK, function, "common effect" if tau == "common" else "tau by DL")


def assert_piece(found: Sequence[float], theirs: Piece, what: Key, place: Place | None) -> None:
    """Assert that an estimate and its standard error are theirs, to one part in a million."""
    numbers = dict(zip(("estimate", "standard error"), theirs, strict=True))
    assert_near(exactly(found, numbers, 1e-6), what, place)


def network() -> nma.Network:
    return nma.datasets.network("linde2016").as_normal()


@cache
def fitted(structure: Components | Consistency, tau: str) -> nma.Posterior:
    engine = nma.engines.LeastSquares(tau)
    return nma.fit(network(), nma.Model(structure), engine=engine)


def assert_effects(
    posterior: nma.Posterior, effects: Mapping[str, Numbers], tau: str, place: Place | None
) -> None:
    table = nma.effect_table(posterior, comparators=["Placebo"])
    assert set(table.index.get_level_values("treatment")) == set(effects)
    for treatment, numbers in effects.items():
        pair = treatment, "Placebo"
        assert_piece((table["mean"][pair], table["sd"][pair]), at(numbers, tau), pair, place)


def at(numbers: Numbers, tau: str) -> Piece:
    return numbers[:2] if tau == "common" else numbers[2:]


def assert_heterogeneity(posterior: nma.Posterior, theirs: Fit, place: Place | None) -> None:
    found = nma.summary(posterior).attrs
    numbers = {"Q": theirs.Q, "df": theirs.df, "tau": theirs.tau}
    table = exactly([found[name] for name in numbers], numbers, [1e-8, 0, 1e-10])
    assert_near(table, "heterogeneity", place)


def test_log_odds_ratios_are_netmetas() -> None:
    """Its 124 contrasts, in one sum each of sizes, of standard errors and of squared ratios.

    No cell is empty, so nothing is corrected and the contrasts of counts are the contrasts of
    netmeta: a data set of its own would say nothing new.
    """
    problem = fitted(Consistency(), "common").problem
    rows = [
        (y[j] - y[k], V[j, j] + V[k, k] - 2 * V[j, k])
        for part in problem.evidence
        if isinstance(part, Contrasts)
        for y, V in zip(*with_base(part), strict=True)
        for j, k in combinations(range(len(y)), 2)
    ]
    effect, variance = np.array(rows).T
    assert len(effect) == 124
    found = np.abs(effect).sum(), np.sqrt(variance).sum(), (effect**2 / variance).sum()
    numbers = {
        "sum of sizes": 57.609930620896435,
        "sum of standard errors": 46.48980102747513,
        "sum of squared ratios": 309.46145043188784,
    }
    assert_near(exactly(found, numbers, 1e-9), "124 log odds ratios", run("netmeta"))


def with_base(part: Contrasts) -> tuple[np.ndarray, np.ndarray]:
    """Return contrasts and covariance with the first arm's zero in front."""
    return np.pad(part.y, ((0, 0), (1, 0))), np.pad(part.V, ((0, 0), (1, 0), (1, 0)))


@pytest.mark.parametrize("tau", TAUS)
def test_additive_effects_of_components_and_combinations(tau: str) -> None:
    assert_effects(fitted(COMPONENTS, tau), ADDITIVE.effects, tau, run("netcomb", tau))


@pytest.mark.parametrize("tau", TAUS)
def test_parameters_are_the_effects_of_components(tau: str) -> None:
    posterior = fitted(COMPONENTS, tau)
    names = posterior.problem.parameters.names
    assert set(names) == {name for name in ADDITIVE.effects if " + " not in name}
    moments = posterior.draws.moments
    assert moments is not None
    told = moments.of(np.eye(len(names)))
    for name, *found in zip(names, told.mean, told.sd, strict=True):
        assert_piece(found, at(ADDITIVE.effects[name], tau), name, None)


@pytest.mark.parametrize("tau", TAUS)
def test_standard_errors_between_active_treatments(tau: str) -> None:
    table = nma.effect_table(fitted(COMPONENTS, tau), comparators=["SSRI"])
    for treatment, (common, random) in VERSUS_SSRI.items():
        theirs = common if tau == "common" else random
        found = exactly([table["sd"][treatment, "SSRI"]], {"standard error": theirs}, 1e-6)
        assert_near(found, (treatment, "SSRI"), run("netcomb", tau))


@pytest.mark.parametrize("tau", TAUS)
def test_effects_without_components(tau: str) -> None:
    assert_effects(fitted(Consistency(), tau), STANDARD.effects, tau, run("netmeta", tau))


@pytest.mark.parametrize(
    ("structure", "theirs", "function"),
    [(COMPONENTS, ADDITIVE, "netcomb"), (Consistency(), STANDARD, "netmeta")],
)
def test_heterogeneity(structure: Components | Consistency, theirs: Fit, function: str) -> None:
    assert_heterogeneity(fitted(structure, "DL"), theirs, run(function))


@pytest.mark.parametrize(("tau", "value"), [("REML", 0.135181), ("ML", 0.0)])
def test_likelihood_estimates_of_tau(tau: str, value: float) -> None:
    """metafor 3.8-1, with the covariance of trials with several arms; netmeta, without, 0.1751."""
    found = nma.summary(fitted(Consistency(), tau)).attrs["tau"]
    place = METAFOR.at(NETWORK, f"tau by {tau}")
    assert_near(exactly([found], {"estimate": value}, 1e-5), "tau", place)


DIFFERENCE = {"Q": 6.67144579556852, "df": 3, "p": 0.0831408674}


def test_q_of_additivity() -> None:
    """Q 109.11894 on 90 df (p 0.0832), standard 102.44750 on 87, difference 6.67145 (p 0.0831)."""
    additive, standard = (
        nma.summary(fitted(structure, "DL")).attrs for structure in (COMPONENTS, Consistency())
    )
    Q, df = additive["Q"] - standard["Q"], additive["df"] - standard["df"]
    p = chi2.sf(additive["Q"], additive["df"])
    assert_near(exactly([p], {"p": 0.0831887244}, 1e-8), "heterogeneity", run("netcomb"))
    table = exactly((Q, df, chi2.sf(Q, df)), DIFFERENCE, [1e-8, 0, 1e-8])
    assert_near(table, "additive less standard", run("netcomb"))


def with_interaction(pair: tuple[str, str]) -> str:
    return f"netcomb, interaction of {' and '.join(pair)}"


@pytest.mark.parametrize("tau", TAUS)
@pytest.mark.parametrize("pair", INTERACTIONS)
def test_effects_with_one_interaction(pair: tuple[str, str], tau: str) -> None:
    posterior = fitted(replace(COMPONENTS, interactions=[pair]), tau)
    place = run(with_interaction(pair), tau)
    assert_effects(posterior, INTERACTIONS[pair].effects, tau, place)
    theirs, moments = INTERACTIONS[pair].interaction, posterior.draws.moments
    assert theirs is not None
    assert moments is not None
    names = posterior.problem.parameters.names
    told = moments.of(np.eye(len(names))[[names.index(" x ".join(sorted(pair)))]])
    assert_piece([*told.mean, *told.sd], at(theirs, tau), "interaction", place)


@pytest.mark.parametrize(
    ("pair", "Q"),
    [
        (("Face-to-face CBT", "SSRI"), 103.61),
        (("Face-to-face interpsy", "SSRI"), 108.98),
        (("Face-to-face PST", "SSRI"), 108.00),
    ],
)
def test_q_with_one_interaction(pair: tuple[str, str], Q: float) -> None:
    """Only the combination with CBT departs from additivity; each costs one of the 90 df."""
    posterior = fitted(replace(COMPONENTS, interactions=[pair]), "DL")
    assert_heterogeneity(posterior, INTERACTIONS[pair], run(with_interaction(pair)))
    found = nma.summary(posterior).attrs
    assert (found["Q"], found["df"]) == (pytest.approx(Q, abs=0.005), 89)


def test_all_three_interactions_are_the_standard_model() -> None:
    """Each combination has a term of its own, so nothing is left to additivity."""
    posterior = fitted(replace(COMPONENTS, interactions=tuple(INTERACTIONS)), "DL")
    assert_heterogeneity(posterior, STANDARD, None)
    assert_effects(posterior, STANDARD.effects, "DL", None)


def test_q_between_and_within_designs() -> None:
    """netmeta: 58.06794 on 54 df within designs, 44.37955 on 33 between (p 0.0891529)."""
    table = nma.checks.design_by_treatment(fitted(Consistency(), "DL"))
    for row, numbers in (
        ("within designs", {"Q": 58.0679442616263, "df": 54}),
        ("between designs", {"Q": 44.3795532295804, "df": 33, "p": 0.0891528737446}),
    ):
        found = exactly(table.loc[(row, ""), [*numbers]], numbers, 1e-8)
        assert_near(found, row, run("decomp.design"))


# netmeta 3.3-1, discomb: the trials of SSRI with a psychological treatment, and five of TCA versus
# Placebo, which share no treatment with them; tau by DL is 0, so both models are one
TWO_PIECES = (
    "Barge-Schaapveld 2002",
    "Blashki 1971",
    "Boyer Teil 1 1996",
    "Boyer Teil 2 1996",
    "Browne 2002",
    "Hollyman 1988",
    "Mynor-Wallis 2000",
    "Naeem 2010",
)
DISCOMB: dict[str, Piece] = {
    "Face-to-face CBT": (2.89037175789616, 0.921954445729289),
    "Face-to-face interpsy": (-0.0933756449742136, 0.179921330206731),
    "Face-to-face PST": (-0.222449444117432, 0.417354257548259),
    "SSRI": (0.499171653146108, 0.170081459383044),
    "TCA": (0.773672030611029, 0.165332789438152),
}


@pytest.mark.parametrize("tau", TAUS)
def test_two_pieces_joined_by_additivity_alone(tau: str) -> None:
    frame = nma.datasets.load("linde2016")
    pieces = nma.Network.from_arms(
        frame[frame["study"].isin(TWO_PIECES)],
        study="study",
        treatment="treatment",
        outcome=nma.outcomes.Binary(
            "events", "n", measure="OR", better="higher", likelihood="normal"
        ),
        reference="Placebo",
    )
    posterior = nma.fit(pieces, nma.Model(COMPONENTS), engine=nma.engines.LeastSquares(tau))
    place = run("discomb, two pieces that no trial joins", tau)
    assert_heterogeneity(posterior, Fit(0.0, 2.58989717843333, 5, {}), place)
    names, moments = posterior.problem.parameters.names, posterior.draws.moments
    assert moments is not None
    told = moments.of(np.eye(len(names)))
    assert set(names) == set(DISCOMB)
    for name, *found in zip(names, told.mean, told.sd, strict=True):
        numbers = dict(zip(("estimate", "standard error"), DISCOMB[name], strict=True))
        assert_near(exactly(found, numbers, 1e-9), name, place)


def beside(tau: nma.priors.Prior, sd: float) -> pd.DataFrame:
    """Return effects of components: posterior mean and sd beside the least squares at DL's tau."""
    structure = Components(separator=" + ", inactive="Placebo", effect=Normal(0, sd))
    posterior = nma.fit(network(), nma.Model(structure, nma.heterogeneity.Random(tau)))
    names, moments = posterior.problem.parameters.names, posterior.draws.moments
    assert moments is not None
    told = moments.of(np.eye(len(names)))
    theirs = pd.DataFrame(
        [at(ADDITIVE.effects[name], "DL") for name in names],
        index=names,
        columns=["estimate", "error"],
    )
    return theirs.assign(mean=told.mean, sd=told.sd)


def test_the_posterior_at_tau_of_dl_is_netcombs() -> None:
    table = beside(Fixed(ADDITIVE.tau), 1e5)
    assert (table["mean"] - table["estimate"]).abs().max() < 1e-6
    assert (table["sd"] - table["error"]).abs().max() < 1e-6


def test_the_posterior_is_near_least_squares() -> None:
    """Flat priors, so only tau differs: netcomb plugs in 0.1441, the posterior averages over it.

    The root of its mean square is 0.136, a little less. Trials weigh a little differently, which
    moves means by less than a tenth of a standard error; their variances, of which tau squared is a
    fraction, fall by a few percent, and what tau's uncertainty adds does not make up for it.
    """
    table = beside(HalfNormal(5), 100 * np.sqrt(2))
    text = table.round(4).to_string()
    assert ((table["mean"] - table["estimate"]).abs() < 0.1 * table["error"]).all(), text
    assert table["sd"].div(table["error"]).between(0.97, 1.01).all(), text


def test_the_posterior_is_a_mixture_of_least_squares_over_tau() -> None:
    structure = Components(separator=" + ", inactive="Placebo", effect=Normal(0, 1e5))
    made = network()
    model = nma.Model(structure, nma.heterogeneity.Random(HalfNormal(5)))
    moments = nma.fit(made, model).draws.moments
    assert moments is not None
    kept = np.flatnonzero(moments.weight > 1e-12)
    at_each = [
        nma.fit(made, model, engine=nma.engines.LeastSquares(float(tau))).draws.moments
        for tau in moments.scales["tau"][kept]
    ]
    means = np.stack([each.mean[0] for each in at_each if each is not None])
    told = moments.of(np.eye(means.shape[1]))
    np.testing.assert_allclose(moments.weight[kept] @ means, told.mean, atol=1e-6)
