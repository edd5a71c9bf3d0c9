"""Contrasts between confidence limits, as hazard ratios are printed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import nma
from nma.errors import DataError, ModelError
from nma.outcomes import Contrast

HR = Contrast("hr", lower="lo", upper="hi", measure="HR", better="lower")
PRINTED = pd.DataFrame(
    [
        ("1", "B", "A", 0.80, 0.62, 1.03),
        ("2", "C", "A", 1.25, 0.93, 1.68),
        ("3", "C", "B", 1.5, 1.05, 2.14),
    ],
    columns=["study", "treatment", "comparator", "hr", "lo", "hi"],
)


def network(table: pd.DataFrame = PRINTED, outcome: Contrast = HR) -> nma.Network:
    return nma.Network.from_contrasts(
        table, study="study", treatment="treatment", comparator="comparator", outcome=outcome
    )


def spoilt(row: int, **values: float) -> pd.DataFrame:
    table = PRINTED.copy()
    for name, value in values.items():
        table.loc[row - 1, name] = value
    return table


def refused(table: pd.DataFrame, outcome: Contrast = HR) -> Any:
    with pytest.raises(DataError) as caught:
        network(table, outcome)
    (issue,) = caught.value.issues
    return issue


@pytest.mark.parametrize("level", [0.95, 0.9])
def test_limits_are_the_same_as_logarithms_and_their_standard_errors(level: float) -> None:
    outcome = Contrast("hr", lower="lo", upper="hi", level=level, measure="HR", better="lower")
    z = stats.norm.ppf((1 + level) / 2)
    logs = PRINTED.assign(
        hr=np.log(PRINTED["hr"]), se=np.log(PRINTED["hi"] / PRINTED["lo"]) / (2 * z)
    )
    given = Contrast("hr", "se", measure="HR", better="lower")
    there, here = nma.fit(network(logs, given)), nma.fit(network(outcome=outcome))
    np.testing.assert_allclose(nma.summary(there)["mean"], nma.summary(here)["mean"], rtol=1e-12)
    np.testing.assert_allclose(nma.summary(there)["sd"], nma.summary(here)["sd"], rtol=1e-12)


def test_what_was_derived_is_told() -> None:
    assert (
        "Standard errors were derived from the logarithms of the 95% limits: "
        "(upper - lower) / 3.919928." in network().notices
    )
    assert not any("off the middle" in text for text in network().notices)


def test_mean_differences_have_limits_on_their_own_scale() -> None:
    table = PRINTED.assign(hr=[-1.0, 0.5, 1.5], lo=[-2.0, -0.5, 0.5], hi=[0.0, 1.5, 2.5])
    md = Contrast("hr", lower="lo", upper="hi", measure="MD", better="lower", scale=1.0)
    (source,) = network(table, md).sources
    (part,) = source.outcome.evidence(source.rows, source.arms, nma.priors.Normal(0, 1))
    np.testing.assert_allclose(part.V.ravel(), (1 / stats.norm.ppf(0.975)) ** 2)  # type: ignore[union-attr]


def test_limits_that_cannot_be_are_refused() -> None:
    issue = refused(spoilt(2, lo=1.68, hi=0.93))
    assert (issue.code, issue.study, issue.rows, issue.column) == (
        "limits-swapped",
        "2",
        (2,),
        "lo",
    )
    issue = refused(spoilt(2, hr=2.25))
    assert (issue.code, issue.rows, issue.column) == ("outside-limits", (2,), "hr")
    assert "lies outside its own limits" in issue.problem
    issue = refused(spoilt(1, lo=-0.62))
    assert (issue.code, issue.column) == ("not-positive", "lo")
    assert "`se`, instead of limits" in issue.remedy
    assert refused(spoilt(3, hi=np.nan)).code == "missing"


def test_an_estimate_off_the_middle_is_told() -> None:
    """Symmetric as it stands, so not on the log scale."""
    (text,) = (t for t in network(spoilt(3, hr=2.0, lo=0.5, hi=3.5)).notices if "middle" in t)
    assert text.startswith("Estimates lie off the middle of their limits on the log scale")
    assert ": 3." in text


def test_the_scale_on_which_they_would_be_in_the_middle_is_told() -> None:
    """Logarithms given for ratios, all positive; and ratios given for differences."""
    logs = PRINTED.assign(hr=[0.5, 0.8, 0.3], lo=[0.1, 0.45, 0.1], hi=[0.9, 1.15, 0.5])
    (text,) = (t for t in network(logs).notices if "middle" in t)
    assert "As they stand they are in the middle: check that 'hr', 'lo' and 'hi' hold" in text
    md = Contrast("hr", lower="lo", upper="hi", measure="MD", better="lower", scale=1.0)
    (text,) = (t for t in network(PRINTED, md).notices if "middle" in t)
    assert text.endswith("On the log scale they would be in the middle: check that they are no "
                         "ratios.")  # fmt: skip
    neither = PRINTED.assign(hr=[0.62, 1.0, 1.5], lo=[0.5, 0.8, 1.3], hi=[2.0, 2.5, 4.0])
    (text,) = (t for t in network(neither).notices if "middle" in t)
    assert text.endswith("Check the numbers, the level and the scale of the interval.")


def test_effects_that_no_logarithm_is_likely_to_be_are_told() -> None:
    given = Contrast("hr", "se", measure="OR", better="lower")
    table = PRINTED.assign(se=0.2, hr=[-0.2, 0.1, -12.0])
    (text,) = (t for t in network(table, given).notices if "As a logarithm" in t)
    assert text.startswith("As a logarithm, the effect of 3 (-12 at row 3) means OR beyond 1000")
    small = table.assign(hr=[-0.2, 0.1, -4.0])
    assert not any("As a logarithm" in t for t in network(small, given).notices)


def test_rounding_is_no_asymmetry() -> None:
    """0.0549 (0.01 to 0.30), rounded to 0.05 (0.01 to 0.3)."""
    assert not any("middle" in t for t in network(spoilt(1, hr=0.05, lo=0.01, hi=0.3)).notices)


def test_ratios_given_for_logarithms_are_suspected() -> None:
    given = Contrast("hr", "se", measure="HR", better="lower")
    table = PRINTED.assign(se=0.2)
    (text,) = (t for t in network(table, given).notices if "not ratios" in t)
    assert text.startswith("Effects of HR are all positive and lie about 1 (0.8 to 1.5)")
    logs = table.assign(hr=np.log(table["hr"]))
    assert not any("not ratios" in t for t in network(logs, given).notices)


@pytest.mark.parametrize(
    "settings",
    [{}, {"se": "se", "lower": "lo", "upper": "hi"}, {"lower": "lo"}, {"se": "se", "upper": "hi"}],
)
def test_the_spread_is_told_once(settings: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match="told once: name `se`, or both limits"):
        Contrast("hr", measure="HR", better="lower", **settings)


@pytest.mark.parametrize("level", [95, 0, 1.0, 0.05, float("nan")])
def test_the_level_is_a_probability(level: float) -> None:
    with pytest.raises(ModelError, match=r"write 0\.95 for 95%"):
        Contrast("hr", lower="lo", upper="hi", level=level, measure="HR", better="lower")
