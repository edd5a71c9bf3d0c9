"""NUTS: judged by the exact engine, honest about its own failures, and without side effects."""

from __future__ import annotations

import json
import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import xarray as xr
from scipy import stats

import nma
from nma import _arviz
from nma.engines import _laplace, _nuts
from nma.engines._convergence import Judgement, judge
from nma.errors import EngineError, ModelError
from nma.model import problem
from nma.priors import Fixed, HalfNormal, Normal
from nma.problem import Contrasts, Draws, Moments, Scale
from own_models import TwoKinds, responders

if TYPE_CHECKING:
    from numpy.typing import NDArray

ENGINE = nma.engines.NUTS(draws=2500, tune=1000, chains=4, seed=3, progress=False)
WIDE = nma.Model(
    nma.structures.Consistency(Normal(0, 100)), nma.heterogeneity.Random(HalfNormal(5))
)
LEAST_ESS = 1000
"""Effective draws that every comparison below must have at the least, bulk and tail."""

BOUND = 4.7
"""|z| that a run of 150 comparisons exceeds by chance with probability 4e-4 (Bonferroni)."""


@pytest.fixture(scope="module", params=["parkinson", "senn2013", "back_pain"])
def pair(request: pytest.FixtureRequest) -> tuple[nma.Posterior, nma.Posterior]:
    """The exact posterior and the sampled one."""
    network = nma.datasets.network(request.param)
    model = WIDE if request.param == "parkinson" else None
    exact = nma.fit(network, model)
    return exact, nma.fit(network, exact.model, engine=ENGINE)


def z_scores(moments: Moments, draws: xr.Dataset) -> xr.Dataset:
    """Return means, variances and shares below exact quantiles, off by how many MCSEs."""
    import arviz

    mixture = moments.of(np.eye(draws.sizes["parameter"]))
    marginal = moments.marginals["tau"]
    beta, tau = draws["beta"], draws["tau"]
    statistics = {
        "beta mean": (beta - mixture.mean) / mixture.sd,
        "beta variance": ((beta - mixture.mean) / mixture.sd) ** 2 - 1,
        "tau mean": (tau - marginal.mean) / marginal.sd,
    }
    for p in (0.025, 0.25, 0.5, 0.75, 0.975):
        statistics[f"beta {p}"] = (beta < mixture.quantile(p)).astype(float) - p
        statistics[f"tau {p}"] = (tau < marginal.quantile(p)).astype(float) - p
    table = xr.Dataset(statistics)
    effective: xr.Dataset = arviz.ess(table, method="mean")  # type: ignore[no-untyped-call]
    return table.mean(("chain", "draw")) * effective**0.5 / table.std(("chain", "draw"))


def largest(z: xr.Dataset) -> float:
    return max(float(np.abs(values).max()) for values in z.data_vars.values())


def test_agrees_with_the_exact_engine(pair: tuple[nma.Posterior, nma.Posterior]) -> None:
    """Per element, two-sided: every effect and tau, at 1000 effective draws or more."""
    exact, sampled = pair
    assert sampled.draws.faults == ()
    assert sampled.draws.diagnostics["ess_bulk"] >= LEAST_ESS
    assert sampled.draws.diagnostics["ess_tail"] >= LEAST_ESS
    assert exact.draws.moments is not None
    assert largest(z_scores(exact.draws.moments, sampled.draws.values)) < BOUND


def test_the_comparison_catches_standard_errors_a_fifth_too_large(
    pair: tuple[nma.Posterior, nma.Posterior],
) -> None:
    exact, sampled = pair
    parts = (part for part in exact.problem.evidence if isinstance(part, Contrasts))
    spoilt = replace(exact.problem, evidence=tuple(replace(p, V=1.44 * p.V) for p in parts))
    moments = nma.engines.Gaussian().sample(spoilt).moments
    assert moments is not None
    assert largest(z_scores(moments, sampled.draws.values)) > BOUND


def test_diagnostics_are_kept_and_printed(pair: tuple[nma.Posterior, nma.Posterior]) -> None:
    _, sampled = pair
    draws = sampled.draws
    assert set(draws.diagnostics) == {"r_hat", "ess_bulk", "ess_tail", "divergences", "e_fmi"}
    assert draws.convergence is not None
    assert draws.statistics is not None
    assert set(draws.convergence.data_vars) == {"beta", "tau"}
    assert draws.statistics["diverging"].dims == ("chain", "draw")
    assert draws.values["beta"].dims == ("chain", "draw", "parameter")
    assert dict(draws.values.sizes)["chain"] == 4
    assert {"pymc", "pytensor"} <= set(sampled.provenance)
    notes = "\n".join(nma.summary(sampled).notes)
    assert "R-hat at most 1.00" in notes
    assert "0 divergences" in notes


def test_goes_to_arviz_and_to_a_file(
    pair: tuple[nma.Posterior, nma.Posterior],
) -> None:
    exact, sampled = pair
    exported = sampled.to_arviz()
    posterior = _arviz.group(exported, "posterior")
    xr.testing.assert_equal(posterior["beta"], sampled.draws.values["beta"])
    assert _arviz.group(exported, "sample_stats")["diverging"].dtype == bool
    observed = _arviz.group(exported, "observed_data")
    parts = (part for part in sampled.problem.evidence if isinstance(part, Contrasts))
    for number, part in enumerate(parts):
        np.testing.assert_array_equal(observed[f"y_{number}"], part.y.ravel())
    assert posterior.attrs["engine"] == repr(ENGINE)
    assert "sample_stats" not in list(_names(exact.to_arviz()))
    copy = pickle.loads(pickle.dumps(sampled))  # noqa: S301  our own bytes
    xr.testing.assert_equal(copy.draws.values, sampled.draws.values)


def _names(exported: Any) -> list[str]:
    groups = exported.groups() if callable(exported.groups) else exported.groups
    return [str(name).strip("/") for name in groups]


@pytest.fixture(scope="module")
def poor() -> nma.Posterior:
    """Centred random effects near tau = 0: the funnel NUTS cannot sample."""
    engine = replace(ENGINE, draws=500, tune=500, parametrisation="centred", target_accept=0.8)
    return nma.fit(nma.datasets.network("parkinson"), WIDE, engine=engine)


def test_near_zero_heterogeneity_is_reported_as_a_poor_fit(poor: nma.Posterior) -> None:
    """Judged by the exact engine: a tenth of tau is far from a tenth, and the run says so."""
    exact = nma.fit(poor.network, poor.model)
    assert exact.draws.moments is not None
    tenth = exact.draws.moments.marginals["tau"].quantile(0.1)
    assert abs(float((poor.draws.values["tau"] < tenth).mean()) - 0.1) > 0.03
    assert poor.draws.faults
    said = " ".join(poor.draws.faults)
    assert poor.draws.diagnostics["divergences"] == 0 or "diverged (by chain: " in said
    assert repr(poor).startswith("POOR FIT")
    for verb in (nma.summary, nma.league_table, nma.sucra, nma.rank_probabilities):
        assert str(verb(poor)).startswith("POOR FIT, do not rely on it: ")
    assert "POOR FIT" in nma.league_table(poor)._repr_html_()
    assert _arviz.group(poor.to_arviz(), "posterior").attrs["faults"] == said


def small(**changes: Any) -> nma.engines.NUTS:
    return replace(ENGINE, **{"draws": 60, "tune": 60, "chains": 2, "cores": 1, **changes})


def test_the_same_seed_gives_the_same_numbers_on_one_and_two_cores() -> None:
    task = problem(WIDE, nma.datasets.network("back_pain"))
    one, two = (small(cores=cores).sample(task).values for cores in (1, 2))
    xr.testing.assert_equal(one, two)
    assert float(one["tau"].std("draw").min()) > 0


def interrupting(chain: int, step: int) -> Callable[[nma.engines.NUTS], Callable[..., None]]:
    """Return a maker of callbacks that press Ctrl-C in one chain at one step."""
    passed_on = _nuts._stop_them_all

    def make(engine: nma.engines.NUTS) -> Callable[..., None]:
        stop = passed_on(engine)

        def callback(trace: Any, draw: Any) -> None:
            stop(trace, draw)
            if (draw.chain, draw.draw_idx) == (chain, step):
                raise KeyboardInterrupt

        return callback

    return make


def test_an_interruption_keeps_what_is_finished_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_nuts, "_stop_them_all", interrupting(chain=2, step=60 + 40))
    task = problem(WIDE, nma.datasets.network("back_pain"))
    draws = small(chains=4).sample(task)
    kept = dict(draws.values.sizes)
    assert (kept["chain"], kept["draw"]) in {(3, 40), (3, 41), (2, 60)}
    of = f"{kept['draw']} of 60 draws in {kept['chain']} of 4 chains"
    assert draws.faults[0] == f"Sampling was interrupted: {of} are kept."
    assert draws.interrupted
    assert np.isfinite(draws.values["beta"]).all()


def test_an_interruption_before_the_first_draw_is_an_error_with_a_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_nuts, "_stop_them_all", interrupting(chain=0, step=10))
    task = problem(WIDE, nma.datasets.network("back_pain"))
    with pytest.raises(EngineError, match="before there was a draw to keep") as told:
        small().sample(task)
    assert isinstance(told.value.__cause__, KeyboardInterrupt)


@pytest.mark.parametrize(
    ("lengths", "chains", "draws"),
    [((9, 9, 9), 3, 9), ((9, 4, 9), 2, 9), ((9, 8, 9), 3, 8), ((0, 0, 0), 1, 0), ((9, 0, 0), 1, 9)],
)
def test_draws_that_were_never_made_are_left_out(
    lengths: tuple[int, ...], chains: int, draws: int
) -> None:
    """Samplers that are cut short may pad with NaN."""
    beta = np.zeros((3, 9, 2))
    for chain, length in enumerate(lengths):
        beta[chain, length:] = np.nan
    values = xr.Dataset({"beta": (("chain", "draw", "parameter"), beta)})
    statistics = xr.Dataset({"energy": (("chain", "draw"), np.zeros((3, 9)))})
    kept = values.isel(_nuts._finished(values, statistics))
    assert (kept.sizes["chain"], kept.sizes["draw"]) == (chains, draws)
    assert np.isfinite(kept["beta"]).all()


def draws_of(chains: int = 4, **spoil: Any) -> Judgement:
    """Judge good draws, spoilt in one way."""
    rng = np.random.default_rng(1)
    beta, energy = rng.normal(size=(chains, 800, 2)), rng.normal(size=(chains, 800))
    diverging = np.zeros((chains, 800), dtype=bool)
    if "apart" in spoil:
        beta[0, :, 1] += spoil["apart"]
    if "sticky" in spoil:
        beta[..., 0] = np.repeat(beta[:, :: spoil["sticky"], 0], spoil["sticky"], axis=1)
    if "slow" in spoil:
        energy[1] = np.cumsum(energy[1])
    if "restless" in spoil:
        noise, steps = rng.normal(size=800), np.zeros(800)
        for step in range(1, 800):
            steps[step] = spoil["restless"] * steps[step - 1] + noise[step]
        energy[0] = steps
    if "tails" in spoil:
        beta[..., 0] = tails(rng, chains)
    if "diverged" in spoil:
        diverging[2, : spoil["diverged"]] = True
    values = xr.Dataset(
        {"beta": (("chain", "draw", "parameter"), beta)}, {"parameter": ["B vs A", "C vs A"]}
    )
    statistics = xr.Dataset(
        {"diverging": (("chain", "draw"), diverging), "energy": (("chain", "draw"), energy)}
    )
    return judge(values, statistics)


def tails(rng: np.random.Generator, chains: int) -> NDArray[np.float64]:
    """Return draws that mix well in the middle and visit each tail once, for a long time."""
    x = np.clip(rng.normal(size=(chains, 800)), -1.2, 1.2)
    x[:, 100:150], x[:, 500:550] = 3 + x[:, 100:150], -3 + x[:, 500:550]
    return x


def test_good_draws_have_no_fault() -> None:
    assert draws_of().faults == ()
    assert draws_of().worst["r_hat"] < 1.01


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (
            {"apart": 1.0},
            r"R-hat is above 1.01 for 1 of 2 quantities, up to 1\.\d+ for 'beta\[C vs",
        ),
        ({"sticky": 40}, r"below 400 for 1 of 2 quantities, down to \d+ for 'beta\[B vs A\]'"),
        ({"slow": True}, r"E-FMI is below 0.3 \(by chain: \d\.\d+, 0\.\d+, "),
        ({"diverged": 7}, r"7 of 3200 draws diverged \(by chain: 0, 0, 7, 0\)"),
        ({"sticky": 10}, r"below 400 for 1 of 2 quantities, down to [23]\d\d for"),
        ({"tails": True}, r"below 400 for 1 of 2 quantities, down to \d+ for 'beta\[B vs A\]'"),
        ({"restless": 0.9}, r"E-FMI is below 0.3 \(by chain: 0\.2\d"),
        ({"chains": 1}, "One chain alone cannot show"),
        ({"chains": 1, "sticky": 40}, r"below 100 for 1 of 2 quantities"),
    ],
)
def test_every_fault_is_named_with_its_number_and_place(spoil: Any, said: str) -> None:
    faults = draws_of(**spoil).faults
    assert any(re.search(said, fault) for fault in faults), faults


def test_a_quantity_that_cannot_be_judged_is_a_fault() -> None:
    good = draws_of()
    unknown = replace(good, convergence=good.convergence * np.nan)
    assert "up to nan for 'beta[B vs A]'" in unknown.faults[0]
    assert "down to nan for" in unknown.faults[1]
    assert np.isnan(unknown.worst["r_hat"])


@pytest.mark.parametrize(("chains", "draws"), [(1, 1), (2, 1), (2, 3), (1, 5)])
def test_a_handful_of_draws_is_judged_without_a_crash(
    chains: int, draws: int, caplog: pytest.LogCaptureFixture
) -> None:
    rng = np.random.default_rng(0)
    values = xr.Dataset({"tau": (("chain", "draw"), rng.normal(size=(chains, draws)))})
    statistics = xr.Dataset(
        {
            "diverging": (("chain", "draw"), np.zeros((chains, draws), dtype=bool)),
            "energy": (("chain", "draw"), rng.normal(size=(chains, draws))),
        }
    )
    judged = judge(values, statistics)
    few = f"{draws} draws in a chain are too few to judge anything by."
    assert (few in judged.faults) == (draws < 4)
    assert judged.faults
    assert caplog.text == ""


def test_unfinished_statistics_count_as_unfinished_draws() -> None:
    values = xr.Dataset({"tau": (("chain", "draw"), np.zeros((2, 5)))})
    energy = np.zeros((2, 5))
    energy[1, 3:] = np.nan
    statistics = xr.Dataset({"energy": (("chain", "draw"), energy)})
    assert dict(values.isel(_nuts._finished(values, statistics)).sizes) == {"chain": 2, "draw": 3}


def test_draws_keep_their_names_and_known_scales_their_values() -> None:
    """No name a user may give a scale loses its draws."""
    task = problem(WIDE, nma.datasets.network("back_pain"))
    prior = HalfNormal(1)
    names = ("class_effect_0", "tau__x", "x_unscaled")
    scales = (*(Scale(name, prior) for name in names), Scale("known", Fixed(0.4)))
    drawn = {name: (("chain", "draw"), np.full((2, 3), 0.2)) for name in names}
    inner = {name: (("chain", "draw"), np.ones((2, 3))) for name in ("tau_log__", "z_unscaled")}
    beta = {"beta": (("chain", "draw", "parameter"), np.zeros((2, 3, 3)))}
    kept = _nuts._reported(xr.Dataset({**drawn, **inner, **beta}), replace(task, scales=scales))
    assert set(kept.data_vars) == {*names, "known", "beta"}
    assert (kept["known"] == 0.4).all()
    assert (kept["tau__x"] == 0.2).all()
    assert "known" not in _nuts._learnt(kept, replace(task, scales=scales))


@pytest.mark.parametrize("name", ["beta", "u", "draw", "trial_level", "auxiliary_2", "two words"])
def test_scales_cannot_take_a_name_that_means_something_else(name: str) -> None:
    with pytest.raises(ModelError, match="cannot be called"):
        Scale(name, HalfNormal(1))


def test_a_zero_scale_cannot_be_centred() -> None:
    none = nma.Model(nma.structures.Consistency(Normal(0, 9)), nma.heterogeneity.Random(Fixed(0)))
    task = problem(none, nma.datasets.network("back_pain"))
    with pytest.raises(EngineError, match="scale tau is zero cannot be centred"):
        small(parametrisation="centred").sample(task)
    assert small().unsuited(task) is None


def test_fit_turns_to_sampled_effects_where_several_scales_cannot_be_integrated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(nma.engines.NUTS, "sample", lambda engine, task: Draws(xr.Dataset))
    model = nma.Model(
        nma.structures.Consistency(Normal(0, 9)), TwoKinds(HalfNormal(1), HalfNormal(1), "A")
    )
    posterior = nma.fit(responders(), model)
    assert posterior.engine == nma.engines.NUTS(parametrisation="non-centred")
    why = [text for text in posterior.notices if "was not used" in text]
    assert [text.split(" ")[0] for text in why] == ["Gaussian", "Laplace", "NUTS"]
    assert "share random effects" in why[1]


def test_fit_turns_to_nuts_where_the_laplace_engine_does_not_certify_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(nma.engines.NUTS, "sample", lambda engine, task: Draws(xr.Dataset))
    monkeypatch.setattr(_laplace, "HIGH", -5.0)
    posterior = nma.fit(responders())
    assert posterior.engine == nma.engines.NUTS()
    assert any("Laplace was not used: The importance weights" in x for x in posterior.notices)


def test_draws_carry_what_speaks_against_them(poor: nma.Posterior) -> None:
    for draws in (nma.relative_effects(poor), nma.predictive_effects(poor), nma.ranks(poor)):
        assert draws.attrs["poor"] == poor.poor
    good = nma.fit(poor.network, poor.model)
    assert "poor" not in nma.ranks(good).attrs


def test_arms_with_a_likelihood_of_their_own_are_sampled_and_said_to_be() -> None:
    """Two trials, one arm without events, against brute force."""
    posterior = nma.fit(
        responders(),
        nma.Model(nma.structures.Consistency(Normal(0, 3)), nma.heterogeneity.Common()),
        engine=replace(ENGINE, draws=800, tune=800),
    )
    draws = posterior.draws
    assert draws.values["trial_level"].dims == ("chain", "draw", "study")
    mean, sd = by_importance(posterior)
    beta = draws.values["beta"]
    assert draws.convergence is not None
    error = sd / np.sqrt(draws.convergence["beta"].sel(statistic="ess_bulk"))
    np.testing.assert_array_less(np.abs(beta.mean(("chain", "draw")) - mean), 5 * error)
    observed = _arviz.group(posterior.to_arviz(), "observed_data")
    assert observed["events_0"].to_numpy().tolist() == [12, 29, 27, 29, 0]


def by_importance(posterior: nma.Posterior) -> tuple[Any, Any]:
    """Return mean and sd of beta by brute force: a product grid over levels and effects."""
    task = posterior.problem
    prior = task.parameters
    m1, m2 = np.linspace(-3.2, -0.2, 25), np.linspace(-6.5, -0.8, 40)
    b, c = np.linspace(-1.0, 2.2, 45), np.linspace(-9.5, 2.5, 60)
    grid = np.stack(np.meshgrid(m1, m2, b, c, indexing="ij"), axis=-1).reshape(-1, 4)
    beta = grid[:, 2:]
    (part,) = task.evidence
    z = task.levels[part.arms]
    trial = part.trial  # type: ignore[union-attr]
    centred = z - np.stack([z[trial == t].mean(axis=0) for t in trial])
    eta = grid[:, trial] + beta @ centred.T
    log = part.density(eta, None, part.data, np).sum(axis=1)  # type: ignore[union-attr]
    log += stats.multivariate_normal(prior.mean, prior.covariance).logpdf(beta)
    log += stats.norm(0, 10).logpdf(grid[:, :2]).sum(axis=1)
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    mean = weight @ beta
    return mean, np.sqrt(weight @ (beta - mean) ** 2)


SNAPSHOT = """
import json, logging, os, random, sys, warnings
import numpy as np
import matplotlib
import nma

def snapshot():
    loggers = {n: logging.getLogger(n).level for n in ("", "pymc", "pytensor", "arviz", "numba")}
    handlers = {n: len(logging.getLogger(n).handlers) for n in loggers}
    return json.dumps([
        [str(x) for x in np.random.get_state()], str(random.getstate()), str(warnings.filters),
        loggers, handlers, {k: str(v) for k, v in matplotlib.rcParams.items()},
        dict(os.environ), os.getcwd(), str(np.geterr()), str(np.get_printoptions()),
    ], sort_keys=True)

import pymc, arviz
before = snapshot()
engine = nma.engines.NUTS(draws=30, tune=30, chains=2, cores=2, progress=False)
posterior = nma.fit(nma.datasets.network("back_pain"), engine=engine)
str(nma.summary(posterior)), posterior.to_arviz()
print(json.dumps([before == snapshot()]))
"""


def test_nothing_global_is_touched_and_nothing_is_printed() -> None:
    run = subprocess.run(  # noqa: S603  our own interpreter, our own code
        [sys.executable, "-W", "ignore", "-c", SNAPSHOT], capture_output=True, text=True, check=True
    )
    assert json.loads(run.stdout) == [True]
    assert run.stderr == ""


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"draws": 0}, "draws=0 is not a whole number of 1 or more"),
        ({"tune": 0}, "tune=0 is not a whole number of 1 or more"),
        ({"target_accept": 1.0}, "is not between 0 and 1"),
        ({"parametrisation": "noncentred"}, "use 'integrated', 'non-centred', 'centred'"),
        ({"sampler": "stan"}, "use 'pymc', 'nutpie'"),
        ({"seed": -1}, "seed=-1 is not a whole number of 0 or more"),
        ({"seed": None}, "seed=None is not a whole number"),
        ({"draws": 1.5}, "draws=1.5 is not a whole number of 1 or more"),
        ({"draws": "10"}, "draws='10' is not a whole number"),
        ({"chains": True}, "chains=True is not a whole number"),
        ({"cores": 0}, "cores=0 is not a whole number of 1 or more"),
        ({"draws": 10**9}, "is the most"),
        ({"target_accept": "x"}, "is not between 0 and 1"),
    ],
)
def test_settings_that_make_no_sense_are_refused(changes: Any, said: str) -> None:
    with pytest.raises(EngineError, match=said):
        replace(ENGINE, **changes)


def test_nutpie_samples_the_same_posterior() -> None:
    pytest.importorskip("nutpie")
    exact = nma.fit(nma.datasets.network("back_pain"))
    engine = replace(ENGINE, sampler="nutpie")
    draws = engine.sample(exact.problem)
    assert draws.faults == ()
    assert draws.diagnostics["ess_bulk"] >= LEAST_ESS
    assert exact.draws.moments is not None
    assert largest(z_scores(exact.draws.moments, draws.values)) < BOUND
    assert set(draws.values.data_vars) == {"beta", "tau"}
    assert "nutpie" in draws.software


def test_nutpie_is_used_only_when_asked_for_and_missed_by_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "nutpie", None)
    task = problem(WIDE, nma.datasets.network("back_pain"))
    with pytest.raises(EngineError, match=r"pip install 'bayesnma\[nutpie\]'"):
        small(sampler="nutpie").sample(task)
