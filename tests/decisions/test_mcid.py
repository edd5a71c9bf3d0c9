"""Differences that matter: whose, between whom, and on which scale."""

from __future__ import annotations

import math
from typing import Any

import pytest

import nma
from nma.decisions import MCID
from nma.decisions._mcid import magnitude
from nma.errors import ModelError

HAYDEN: dict[str, Any] = {"kind": "between-group", "source": "Hayden 2021"}


@pytest.fixture(scope="module")
def points() -> nma.Posterior:
    return nma.fit(nma.datasets.network("back_pain"))


def test_it_is_on_the_scale_of_the_outcome(points: nma.Posterior) -> None:
    assert magnitude(points, MCID(1.5, **HAYDEN)) == 1.5
    ratio = nma.fit(nma.datasets.network("bcg").as_normal())
    assert magnitude(ratio, MCID(1.25, **HAYDEN)) == pytest.approx(math.log(1.25))


def test_points_of_an_instrument_are_divided_by_its_sd() -> None:
    posterior = nma.fit(nma.datasets.network("back_pain_simulated"))
    mcid = MCID(15, instrument=nma.instruments.VAS, reference_sd=22.0, **HAYDEN)
    assert magnitude(posterior, mcid) == pytest.approx(15 / 22)


@pytest.mark.parametrize("value", [0, -1.5, float("nan"), True, "2"])
def test_a_size_has_no_sign(value: Any) -> None:
    with pytest.raises(ModelError, match="above zero and without a sign"):
        MCID(value, **HAYDEN)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "between-group", "source": " "}, "who says that it matters"),
        ({"kind": "between", "source": "x"}, "is not a kind of important difference"),
    ],
)
def test_it_says_whose_and_between_whom(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        MCID(1.5, **arguments)


def test_what_one_person_notices_must_not_judge_groups(points: nma.Posterior) -> None:
    mcid = MCID(2, kind="within-person", source="Ostelo 2008")
    with pytest.raises(ModelError, match=r"judges the change of one person.*ask for responders"):
        magnitude(points, mcid)


def test_ordered_categories_have_no_points() -> None:
    posterior = nma.fit(
        nma.datasets.network("psoriasis").as_normal(), engine=nma.engines.LeastSquares("common")
    )
    mcid = MCID(15, instrument=nma.instruments.VAS, reference_sd=22.0, **HAYDEN)
    with pytest.raises(ModelError, match="latent scale that has no points"):
        magnitude(posterior, mcid)


def test_the_wrong_scale_is_refused(points: nma.Posterior) -> None:
    ratio = nma.fit(nma.datasets.network("bcg").as_normal())
    with pytest.raises(ModelError, match="is a ratio, so give one above 1"):
        magnitude(ratio, MCID(0.2, **HAYDEN))
    with pytest.raises(ModelError, match="effects are MD: leave instrument= out"):
        magnitude(points, MCID(15, instrument=nma.instruments.VAS, **HAYDEN))
    with pytest.raises(ModelError, match=r"write nma.decisions.MCID\(value"):
        magnitude(points, 1.5)  # type: ignore[arg-type]
