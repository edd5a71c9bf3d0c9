"""Published priors of tau: the figures, whom they are for, and what is said of them."""

from __future__ import annotations

import math
import pickle
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import optimize

import nma
from nma.errors import ModelError
from nma.heterogeneity import Random
from nma.priors import LogNormal, LogT, Published, rhodes2015, turner2012, turner2015
from nma.priors._published import _names, _rows

DRUG = "pharmacological vs placebo or control"
DRUGS = "pharmacological vs pharmacological"
OTHER = [
    "non-pharmacological vs placebo or control",
    "non-pharmacological vs pharmacological",
    "non-pharmacological vs non-pharmacological",
]


def figures(source: str) -> pd.DataFrame:
    frame = pd.DataFrame(_rows())
    frame = frame.loc[frame["source"] == source].reset_index(drop=True)
    return frame.astype({"location": float, "scale": float})


@pytest.mark.parametrize(
    ("source", "settings"),
    [("Turner 2012", 3 * 5 + 1), ("Turner 2015", 16 * 5 + 1), ("Rhodes 2015", 3 * (12 * 5 + 1))],
)
def test_every_setting_has_one_prior(source: str, settings: int) -> None:
    named = Counter(
        (area, outcome, comparison)
        for row in _rows()
        if row["source"] == source
        for area in _names(row["area"])
        for outcome in _names(row["outcome"])
        for comparison in _names(row["comparison"])
    )
    assert len(named) == settings
    assert set(named.values()) == {1}


def residuals(frame: pd.DataFrame, column: str) -> np.ndarray[Any, Any]:
    """Return what a sum of effects of area, outcome and comparison leaves, least absolutely."""
    X = pd.get_dummies(frame[["area", "outcome", "comparison"]], dtype=float).to_numpy()
    y, (rows, columns) = frame[column].to_numpy(), X.shape
    eye = np.eye(rows)
    found = optimize.linprog(
        np.r_[np.zeros(columns), np.ones(rows)],
        A_ub=np.block([[X, -eye], [-X, -eye]]),
        b_ub=np.r_[y, -y],
        bounds=[(None, None)] * columns + [(0, None)] * rows,
    )
    assert found.x is not None
    return np.asarray(y - X @ found.x[:columns])


@pytest.mark.parametrize("source", ["Turner 2012", "Turner 2015", "Rhodes 2015"])
def test_locations_add_up_by_outcome_and_comparison(source: str) -> None:
    """Each table comes from one additive model, so a slip of the pen stands out of it."""
    frame = figures(source).query("outcome != 'any'").reset_index(drop=True)
    off = np.abs(residuals(frame, "location")) > 0.0151  # three roundings
    doubted = frame["doubt"].str.startswith("transcribed as").to_numpy()
    np.testing.assert_array_equal(off, doubted)
    for place in np.flatnonzero(off):
        apart = residuals(frame, "location")[place]
        pattern = float(frame["doubt"].iloc[place].rsplit(" ", 1)[1])
        assert frame["location"].iloc[place] - apart == pytest.approx(pattern, abs=0.011)


def test_scales_differ_alike_between_areas() -> None:
    frame = figures("Rhodes 2015").query("outcome != 'any'")
    wide = frame.pivot_table(index=["outcome", "comparison"], columns="area", values="scale")
    apart = (wide["respiratory"] - wide["other"]).abs()
    (place,) = apart.index[apart > 0.021]
    doubted = frame.loc[frame["doubt"].str.startswith("transcribed with scale")]
    assert list(zip(doubted["outcome"], doubted["comparison"], strict=True)) == [place]


PRINTED = [
    ("all-cause mortality", DRUG, "0.017 0.001 0.30"),
    ("semi-objective", DRUG, "0.049 0.001 1.83"),
    ("subjective", DRUG, "0.12 0.005 2.63"),
    ("all-cause mortality", DRUGS, "0.014 0.0008 0.25"),
    ("semi-objective", DRUGS, "0.040 0.001 1.58"),
    ("subjective", DRUGS, "0.096 0.004 2.31"),
    ("all-cause mortality", OTHER[0], "0.020 0.001 0.38"),
    ("semi-objective", OTHER[1], "0.056 0.001 2.35"),
    ("subjective", OTHER[2], "0.13 0.005 3.33"),
    ("any", "any", "0.08 0.003 2.34"),
]


@pytest.mark.parametrize(("outcome", "comparison", "printed"), PRINTED)
def test_quantiles_of_tau_squared_are_those_printed_beside_the_figures(
    outcome: str, comparison: str, printed: str
) -> None:
    """Turner 2012: medians and 95% ranges, to the last digit printed."""
    prior = turner2012(outcome=outcome, comparison=comparison)
    for p, text in zip((0.5, 0.025, 0.975), printed.split(), strict=True):
        half = 0.5 * 10.0 ** -len(text.partition(".")[2])
        assert abs(prior.quantile(p) ** 2 - float(text)) <= 1.001 * half


MEDIANS = {
    "obstetric outcomes": 0.016,
    "resource use, hospital stay or process": 0.078,
    "internal or external structure": 0.086,
    "pain": 0.040,
    "infection or onset of new disease": 0.048,
    "mental health": 0.049,
    "biological markers": 0.033,
    "subjective outcomes": 0.063,
}


@pytest.mark.parametrize("outcome", MEDIANS)
def test_medians_of_tau_squared_are_near_those_the_t_was_fitted_to(outcome: str) -> None:
    """Rhodes 2015: medians of simulated distributions, which their fits miss by up to 6%."""
    median = rhodes2015(outcome=outcome, comparison=DRUG).quantile(0.5) ** 2
    assert median == pytest.approx(MEDIANS[outcome], rel=0.065)


def test_figures_are_where_they_belong() -> None:
    """Corners of each table, typed from another transcription than the file."""
    mortality = turner2015(outcome="all-cause mortality", comparison=DRUG)
    assert mortality.distribution == LogNormal(-3.95 / 2, 1.34 / 2)
    subjective = turner2015(outcome="subjective outcomes", comparison=OTHER[2])
    assert subjective.distribution == LogNormal(-2.26 / 2, 1.45 / 2)
    cancer = rhodes2015(outcome="adverse events", comparison=OTHER[1], area="cancer")
    assert cancer.distribution == LogT(-0.46 / 2, 2.40 / 2, 5)
    use = rhodes2015(
        outcome="resource use, hospital stay or process", comparison=DRUG, area="cancer"
    )
    assert use.distribution == LogT(0.01 / 2, 2.83 / 2, 5)
    transfusion = turner2012(outcome="all-cause mortality", comparison=OTHER[0])
    assert transfusion.distribution == LogNormal.of_square(-3.93, 1.51)


def test_a_figure_in_doubt_says_so() -> None:
    doubted = rhodes2015(outcome="mental health", comparison=OTHER[0])
    assert "transcribed as -3.85, where the pattern of the table has -2.85" in doubted.origin
    assert "transcribed" not in rhodes2015(outcome="mental health", comparison=DRUG).origin


def test_a_scale_takes_a_prior_of_smds_to_points() -> None:
    smd = rhodes2015(outcome="pain", comparison=DRUGS)
    md = rhodes2015(outcome="pain", comparison=DRUGS, scale=25)
    for p in (0.025, 0.5, 0.975):
        assert md.quantile(p) == pytest.approx(25 * smd.quantile(p), rel=1e-12)
    x = np.array([0.1, 3.0, 40.0])
    np.testing.assert_allclose(md.log_density(x), smd.log_density(x / 25) - math.log(25))
    assert "of SMD, times 25 for MD" in md.origin
    assert (smd.measure, md.measure) == ("SMD", "MD")


@pytest.mark.parametrize("scale", [0, -1, math.nan, math.inf, "25", True])
def test_what_is_no_scale_is_refused(scale: Any) -> None:
    with pytest.raises(ModelError, match="is no standard deviation"):
        rhodes2015(outcome="pain", comparison=DRUGS, scale=scale)


def test_everything_misspelt_is_told_at_once_with_what_there_is() -> None:
    with pytest.raises(ModelError) as refused:
        turner2015(outcome="all cause mortality", comparison="pharmacological vs placebo")
    said = str(refused.value)
    assert "Did you mean 'all-cause mortality'?" in said
    assert f"Did you mean '{DRUG}'?" in said
    assert "'withdrawals or drop-outs'" in said
    assert repr(OTHER[2]) in said
    with pytest.raises(ModelError, match="Did you mean 'cancer'"):
        rhodes2015(outcome="pain", comparison=DRUG, area="cancers")
    with pytest.raises(ModelError, match="outcome='pain' is not in it"):
        turner2012(outcome="pain", comparison=DRUG)
    with pytest.raises(ModelError, match="say it of both"):
        turner2015(outcome="any", comparison=DRUG)


def contrasts(measure: str) -> nma.Network:
    frame = pd.DataFrame({"s": ["1", "2"], "t": "B", "c": "A", "y": [0.1, 0.4], "se": 0.2})
    outcome = nma.outcomes.Contrast("y", "se", measure=measure, better="higher", scale=1.0)
    return nma.Network.from_contrasts(
        frame, study="s", treatment="t", comparator="c", outcome=outcome
    )


TURNER = turner2015(outcome="pain", comparison=DRUG)
RHODES = rhodes2015(outcome="pain", comparison=DRUG)
RHODES_MD = rhodes2015(outcome="pain", comparison=DRUG, scale=12)


@pytest.mark.parametrize(
    ("prior", "measure"), [(TURNER, "OR"), (RHODES, "SMD"), (RHODES_MD, "MD")], ids=repr
)
def test_a_prior_on_its_own_measure_is_left_alone(prior: Published, measure: str) -> None:
    resolved = Random(prior).resolve(contrasts(measure))
    assert resolved == Random(prior)
    assert resolved.tau is not None
    assert resolved.tau.origin == prior.origin


@pytest.mark.parametrize("measure", ["HR", "RR", "IRR"])
def test_a_prior_lent_to_another_ratio_says_so_in_every_summary(measure: str) -> None:
    network = contrasts(measure)
    posterior = nma.fit(network, nma.Model(heterogeneity=Random(TURNER)))
    (note,) = [note for note in nma.summary(posterior).notes if note.startswith("Prior: tau")]
    assert note.endswith(f"doi:10.1002/sim.6381; of OR, lent to {measure}).")
    assert posterior.model.heterogeneity.resolve(network) == posterior.model.heterogeneity
    assert TURNER.on(measure) != TURNER
    assert TURNER.on("OR") == TURNER.on(measure).on("OR") == TURNER


@pytest.mark.parametrize(
    ("prior", "measure", "remedy"),
    [
        (TURNER, "MD", r"rhodes2015 takes scale="),
        (TURNER, "SMD", r"For SMD there is nma.priors.rhodes2015\."),
        (TURNER, "RD", "None is published for RD"),
        (TURNER, "ROM", "None is published for ROM"),
        (RHODES, "MD", r"rhodes2015 takes scale="),
        (RHODES_MD, "SMD", "rhodes2015 without scale="),
        (RHODES, "OR", "For OR there is nma.priors.turner2015"),
        (RHODES_MD, "HR", "For HR there is nma.priors.turner2015"),
    ],
    ids=repr,
)
def test_a_prior_of_another_measure_is_refused_at_the_fit(
    prior: Published, measure: str, remedy: str
) -> None:
    with pytest.raises(ModelError, match=remedy) as refused:
        nma.fit(contrasts(measure), nma.Model(heterogeneity=Random(prior)))
    said = str(refused.value)
    assert f"analysed as {measure}" in said
    assert f"nma.priors.{prior!r}" in said
    written = eval(f"nma.priors.{prior!r}", {"nma": nma})  # noqa: S307  what the message says
    nma.fit(contrasts(measure), nma.Model(heterogeneity=Random(written)))


def test_a_published_prior_is_a_value() -> None:
    copy = pickle.loads(pickle.dumps(RHODES_MD))  # noqa: S301  our own value
    assert copy == RHODES_MD
    assert hash(copy) == hash(RHODES_MD)
    assert isinstance(copy, nma.priors.Prior)
    assert RHODES_MD.support == (0.0, math.inf)
