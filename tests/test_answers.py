"""Effects, summary and ranking: labels, notes, and the same answers from draws."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import nma
from nma.errors import ModelError
from nma.estimates import replicate_error
from nma.priors import Fixed, Normal

CAPTION = "A convenience sample of nine trials"


@pytest.fixture(scope="module")
def posterior() -> nma.Posterior:
    return nma.fit(nma.datasets.network("back_pain"), engine=nma.engines.Gaussian(draws=4096))


@pytest.fixture(scope="module")
def drawn(posterior: nma.Posterior) -> nma.Posterior:
    """The same posterior from an engine that has no moments."""
    return replace(posterior, draws=replace(posterior.draws, moments=None))


def test_every_table_says_what_the_data_are(posterior: nma.Posterior) -> None:
    tables = [
        nma.summary(posterior),
        nma.league_table(posterior),
        nma.effect_table(posterior),
        nma.sucra(posterior),
        nma.rank_probabilities(posterior),
        nma.p_best(posterior),
    ]
    assert [CAPTION in " ".join(str(table).split()) for table in tables] == [True] * 6
    assert [CAPTION in table._repr_html_() for table in tables] == [True] * 6
    assert CAPTION in " ".join(str(posterior.network).split())


def test_draws_and_moments_give_the_same_tables(
    posterior: nma.Posterior, drawn: nma.Posterior
) -> None:
    exact, sampled = nma.effect_table(posterior), nma.effect_table(drawn)
    assert (exact["mcse"] == 0).all()
    assert (sampled["mcse"] > 0).all()
    scaled = (sampled["mean"] - exact["mean"]) / exact["sd"]
    np.testing.assert_allclose(scaled, 0, atol=0.01)
    np.testing.assert_allclose(sampled["sd"] / exact["sd"], 1, atol=0.01)
    np.testing.assert_allclose((sampled["lower"] - exact["lower"]) / exact["sd"], 0, atol=0.06)
    np.testing.assert_allclose((sampled["upper"] - exact["upper"]) / exact["sd"], 0, atol=0.06)
    np.testing.assert_allclose(sampled["p_better"], exact["p_better"], atol=0.005)
    first, second = (nma.sucra(p)["sucra"].sort_index() for p in (posterior, drawn))
    np.testing.assert_allclose(first, second, atol=0.005)
    summaries = [nma.summary(p).loc["tau", "median"] for p in (posterior, drawn)]
    assert summaries[0] == pytest.approx(summaries[1], abs=0.01)


def test_a_posterior_of_draws_says_its_error(drawn: nma.Posterior) -> None:
    assert any("From draws: Monte Carlo error up to" in note for note in nma.summary(drawn).notes)


def test_the_summary_says_what_was_assumed(posterior: nma.Posterior) -> None:
    notes = "\n".join(nma.summary(posterior).notes)
    assert "Prior: effect ~ Normal(mean=0, sd=24.06) (default: 10 units, unit = 2.41" in notes
    assert "Prior: tau ~ HalfNormal(scale=1.203) (default: half a unit" in notes
    assert "I-squared 45%: Q = 10.84 on 6 df" in notes
    assert "log evidence" in notes
    stated = nma.Model(
        nma.structures.Consistency(Normal(0, 5)), nma.heterogeneity.Random(Fixed(0.3))
    )
    said = "\n".join(nma.summary(nma.fit(posterior.network, stated)).notes)
    assert "Prior: effect ~ Normal(mean=0, sd=5)." in said
    assert "default" not in said


def test_a_single_trial_cannot_tell_heterogeneity() -> None:
    frame = pd.DataFrame({"s": ["1"], "t": ["B"], "c": ["A"], "y": [0.5], "se": [0.2]})
    outcome = nma.outcomes.Contrast("y", "se", measure="SMD", better="lower")
    network = nma.Network.from_contrasts(
        frame, study="s", treatment="t", comparator="c", outcome=outcome
    )
    table = nma.summary(nma.fit(network))
    assert any("any tau rests on its prior" in note for note in table.notes)
    assert table.loc["tau", "median"] == pytest.approx(0.5 * 0.6745, abs=0.005)


def test_effects_are_treatment_minus_comparator(posterior: nma.Posterior) -> None:
    draws = nma.relative_effects(posterior)
    assert draws.dims == ("chain", "draw", "treatment", "comparator")
    assert draws["comparator"].to_numpy().tolist() == ["passive control"]
    assert float(draws.sel(treatment="multimodal care").mean()) < -1
    assert draws.attrs == {"measure": "MD", "better": "lower"}
    table = nma.effect_table(posterior)
    assert table["p_better"]["multimodal care", "passive control"] > 0.99
    assert table["p_better"]["passive control", "multimodal care"] < 0.01


def test_unknown_comparators_are_refused_with_the_closest(posterior: nma.Posterior) -> None:
    for verb in (nma.relative_effects, nma.effect_table):
        with pytest.raises(ModelError, match=r"Did you mean 'multimodal care'\?"):
            verb(posterior, comparators=["multimodal"])


@pytest.mark.parametrize("level", [95, 0, 1, -0.1, float("nan")])
def test_a_level_that_is_no_probability_is_refused(posterior: nma.Posterior, level: float) -> None:
    for verb in (nma.league_table, nma.effect_table, nma.summary, nma.sucra):
        with pytest.raises(ModelError, match=r"write 0.95 for 95 %"):
            verb(posterior, level=level)


def test_wider_levels_give_wider_intervals(posterior: nma.Posterior) -> None:
    half, most = (nma.effect_table(posterior, level=level) for level in (0.5, 0.99))
    assert (most["lower"] < half["lower"]).all()
    assert (most["upper"] > half["upper"]).all()
    assert "50% credible" in half.caption


def test_ratio_measures_are_printed_back_transformed() -> None:
    frame = pd.DataFrame({"s": ["1", "2"], "t": "B", "c": "A", "y": [0.5, 0.7], "se": 0.2})
    outcome = nma.outcomes.Contrast("y", "se", measure="OR", better="higher")
    network = nma.Network.from_contrasts(
        frame, study="s", treatment="t", comparator="c", outcome=outcome, reference="A"
    )
    posterior = nma.fit(network, nma.Model(heterogeneity=nma.heterogeneity.Common()))
    table = nma.effect_table(posterior, comparators=["A"])
    assert table["mean"]["B", "A"] == pytest.approx(0.6, abs=1e-3)
    assert table["estimate"]["B", "A"] == pytest.approx(np.exp(table["mean"]["B", "A"]))
    league = nma.league_table(posterior)
    assert str(league.loc["B", "A"]).startswith("1.82 (")
    assert str(league.loc["A", "B"]).startswith("0.55 (")
    assert "above 1 favours the row" in league.caption
    assert nma.summary(posterior).caption.startswith("log OR")


def test_asking_about_some_treatments(posterior: nma.Posterior) -> None:
    two = nma.at(posterior, treatments=["multimodal care", "standard exercise"])
    whole = nma.effect_table(posterior)
    part = nma.effect_table(two)
    assert len(part) == 2
    np.testing.assert_allclose(part["mean"], whole["mean"][part.index], atol=1e-12)
    assert nma.sucra(two)["sucra"].sum() == pytest.approx(1.0)
    assert two.comparator == "multimodal care"
    assert nma.at(two).treatments == two.treatments


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({"treatments": ["multimodal"]}, "Did you mean 'multimodal care'?"),
        ({"treatments": []}, "name each treatment once, and one at least"),
        ({"treatments": ["passive control"] * 2}, "name each treatment once"),
        ({"dosage": 3.0}, "'dosage' is no covariate of this model. It has none."),
    ],
)
def test_questions_without_an_answer_are_refused(
    posterior: nma.Posterior, question: dict[str, object], message: str
) -> None:
    with pytest.raises(ModelError, match=message.replace("?", r"\?")):
        nma.at(posterior, **question)  # type: ignore[arg-type]


def test_ties_share_ranks_equally(posterior: nma.Posterior) -> None:
    """Three treatments on the same level: each has a third of each of their ranks."""

    class Tied:
        def levels(self, network: object, arms: pd.DataFrame) -> np.ndarray:
            z = np.zeros((len(arms), 3))
            z[0, 0] = 1.0
            return z

    tied = replace(posterior, model=replace(posterior.model, structure=Tied()))  # type: ignore[arg-type]
    matrix = nma.rank_probabilities(tied).to_numpy()
    np.testing.assert_allclose(matrix.sum(axis=0), 1.0)
    np.testing.assert_allclose(matrix[1], matrix[2])
    np.testing.assert_allclose(matrix[1], matrix[3])
    assert set(np.unique(nma.ranks(tied).sel(treatment=posterior.treatments[1]))) <= {2.0, 3.0}
    assert nma.sucra(tied)["sucra"].mean() == pytest.approx(0.5)


def test_a_weak_hierarchy_is_called_weak(posterior: nma.Posterior) -> None:
    three = nma.at(
        posterior, treatments=["multimodal care", "standard exercise", "individualised exercise"]
    )
    found = nma.sucra(three)
    assert found.attrs["poth"] < 0.5
    assert any("The hierarchy is weak" in note for note in found.notes)
    assert not any("weak" in note for note in nma.sucra(posterior).notes)


def test_a_star_and_a_lonely_bridge_are_pointed_out() -> None:
    frame = pd.DataFrame(
        {"s": ["1", "2", "3"], "t": ["B", "C", "C"], "c": "A", "y": [0.5, 0.7, 0.6], "se": 0.2}
    )
    outcome = nma.outcomes.Contrast("y", "se", measure="SMD", better="lower")
    network = nma.Network.from_contrasts(
        frame, study="s", treatment="t", comparator="c", outcome=outcome
    )
    notes = "\n".join(nma.sucra(nma.fit(network)).notes)
    assert "The network is a star" in notes
    assert "A and B: the hierarchy hangs on the one trial" in notes
    assert "A and C" not in notes


def test_probabilities_carry_their_error(posterior: nma.Posterior) -> None:
    best = nma.p_best(posterior)
    assert (best["mcse"] < 0.01).all()
    assert best["p_best"].sum() == pytest.approx(1.0)
    again = nma.p_best(nma.fit(posterior.network, engine=nma.engines.Gaussian(4096, seed=9)))
    error = np.hypot(best["mcse"], again["mcse"])
    assert (np.abs(best["p_best"] - again["p_best"]) <= 5 * error + 1e-4).all()


def test_one_chain_has_no_replicate_error() -> None:
    assert np.isnan(replicate_error(np.ones((1, 5, 2)))).all()


def test_a_result_knows_what_made_it(posterior: nma.Posterior) -> None:
    assert posterior.provenance["engine"] == repr(posterior.engine)
    assert {"bayesnma", "numpy", "scipy", "python", "data"} <= set(posterior.provenance)
    other = nma.fit(nma.datasets.network("parkinson"))
    assert other.provenance["data"] != posterior.provenance["data"]
    again = nma.fit(nma.datasets.network("back_pain"))
    assert again.provenance["data"] == posterior.provenance["data"]


def test_reprs_name_the_next_verbs(posterior: nma.Posterior) -> None:
    assert "next: nma.summary, nma.league_table, nma.sucra" in repr(posterior)


def test_mean_ranks_are_those_of_the_draws(posterior: nma.Posterior) -> None:
    found = nma.sucra(posterior)
    drawn = nma.ranks(posterior).mean(["chain", "draw"]).to_series()
    np.testing.assert_allclose(found["mean_rank"], drawn[found.index], atol=0.02)
    assert found["mean_rank"].sum() == pytest.approx(4 * 5 / 2)


def test_a_poor_fit_says_so_before_every_number() -> None:
    """Whatever prints through a caption begins with the faults of the run."""
    good = nma.fit(nma.datasets.network("back_pain"))
    fault = "R-hat of tau is 1.20."
    poor = replace(good, draws=replace(good.draws, faults=(fault,)))
    verbs = (nma.summary, nma.league_table, nma.effect_table, nma.sucra, nma.p_best)
    for verb in (*verbs, nma.rank_probabilities):
        assert str(verb(poor)).startswith(f"POOR FIT, do not rely on it: {fault}")
        assert "POOR FIT" not in str(verb(good))


def test_one_treatment_of_a_posterior_of_draws_leaves_its_scales(drawn: nma.Posterior) -> None:
    alone = nma.at(drawn, treatments=[drawn.comparator])
    assert nma.summary(alone).index.tolist() == ["tau"]
    assert nma.effect_table(alone).empty


def test_summary_has_the_parameters_where_treatments_have_no_one_level() -> None:
    """Each as the moments say, with why; ranks and league tables are refused."""
    base = nma.structures.Consistency()
    split = nma.structures.NodeSplit(base, "rosiglitazone", "sulfonylurea")
    posterior = nma.fit(nma.datasets.network("senn2013"), nma.Model(split))
    table = nma.summary(posterior)
    names = posterior.problem.parameters.names
    assert tuple(table.index) == (*names, "tau")
    assert posterior.draws.moments is not None
    told = posterior.draws.moments.of(np.eye(len(names)))
    np.testing.assert_allclose(table["mean"].iloc[:-1], told.mean)
    assert table["p_better"].isna().all()
    assert "direct and an indirect effect" in table.notes[0]
    for verb in (nma.league_table, nma.sucra, nma.p_best, nma.relative_effects):
        with pytest.raises(ModelError, match="league tables and ranks are not defined"):
            verb(posterior)
