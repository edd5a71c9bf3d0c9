"""People in ordered categories: the multinomial likelihood and how counts are read."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

from nma.errors import ModelError
from nma.outcomes import Ordinal
from nma.outcomes._multinomial import SCALES, Cumulative, cells
from nma.priors import Fixed, HalfNormal, LogNormal, Normal, Uniform
from nma.problem import Arms
from ordered import (
    AT,
    COUNTS,
    EVENTS,
    LATENT,
    NAMES,
    NAN,
    ONE_CUT,
    OR,
    SMD,
    TWO,
    arms,
    by_scipy,
    inclusive,
    network,
)

BOTH = pytest.mark.parametrize("outcome", [SMD, OR], ids=lambda o: o.measure)


@BOTH
def test_the_density_is_the_multinomial_and_the_deviance_its_own(outcome: Ordinal) -> None:
    part = arms(outcome)
    z = outcome.cut_points_at(AT)
    eta = np.random.default_rng(1).normal(0, 1, len(COUNTS))
    found = part.density(eta, AT, part.data, np)
    np.testing.assert_allclose(found, by_scipy(outcome, eta, z), rtol=1e-10)
    fitted = part.fitted(eta, AT, part.data, np)
    np.testing.assert_allclose(fitted.sum(axis=1), 1, rtol=1e-12)
    assert part.observed is not None
    seen = part.observed(part.data)
    np.testing.assert_allclose(part.deviance(seen, part.data, np), 0, atol=1e-10)
    best = [
        stats.multinomial(int(row.sum()), p).logpmf(row)
        for row, p in zip(part.data["count"], seen, strict=True)
    ]
    deviance = part.deviance(fitted, part.data, np)
    np.testing.assert_allclose(deviance, 2 * (best - found), rtol=1e-9)


def test_data_points_are_the_categories_told_less_one() -> None:
    part = arms()
    assert part.points is not None
    assert part.points(part.data).tolist() == [3, 3, 2, 2, 2, 1, 1, 2, 2]


@BOTH
@pytest.mark.parametrize("upto", [[1, 2, 3], [2, 1, 3], [3, 1, 2], [1, 3, 2]], ids=str)
def test_the_chances_of_all_tables_sum_to_one(outcome: Ordinal, upto: list[int]) -> None:
    """All ways in which seven people fall into the cells that an arm tells."""
    n, places = 7, range(len(upto))
    told = [upto[k] > k for k in places]
    tables = [
        table
        for table in product(*(range(n + 1) if here else [0] for here in told))
        if sum(table) == n
    ]
    data = cells(np.array(tables, dtype=float), np.tile(upto, (len(tables), 1)))
    likelihood = Cumulative(SCALES[outcome.measure], Uniform(0, 5))
    for eta in (-3.0, 0.2, 6.0):
        level = np.full(len(tables), eta)
        density = likelihood.density(level, np.array([-0.4]), data, np)
        assert np.exp(density).sum() == pytest.approx(1, rel=1e-12)


def test_two_categories_are_events_and_their_odds_ratio() -> None:
    ours, theirs = arms(ONE_CUT, TWO), arms(EVENTS, TWO)
    assert ours.auxiliary is None
    for eta in np.random.default_rng(2).normal(0, 4, (20, len(TWO))):
        density = ours.density(eta, None, ours.data, np)
        np.testing.assert_allclose(density, theirs.density(eta, None, theirs.data, np), rtol=1e-13)
        p, q = ours.fitted(eta, None, ours.data, np), theirs.fitted(eta, None, theirs.data, np)
        np.testing.assert_allclose(p, np.column_stack([1 - q, q]), rtol=1e-12, atol=1e-15)
        expected = theirs.deviance(q, theirs.data, np)
        np.testing.assert_allclose(ours.deviance(p, ours.data, np), expected, rtol=1e-11)
    exclusive = arms(replace(ONE_CUT, counts="exclusive"), TWO)
    np.testing.assert_array_equal(exclusive.data["count"], ours.data["count"])


def test_both_kinds_of_counts_are_the_same_people() -> None:
    one, other = arms(SMD), arms(replace(SMD, counts="inclusive"), inclusive())
    for name in one.data:
        np.testing.assert_array_equal(one.data[name], other.data[name])


@BOTH
def test_categories_that_are_not_told_are_joined_to_the_one_below(outcome: Ordinal) -> None:
    """The chance of the joined table is the sum over all tables it may have come from."""
    eta, n, some, above = 0.7, 9, 3, 4
    rows = [{"n": n, "some": some, "much": above - full, "full": full} for full in range(above + 1)]
    whole = pd.DataFrame(rows)
    joined = pd.DataFrame([{"n": n, "some": some, "much": above, "full": NAN}])

    def density(frame: pd.DataFrame) -> Any:
        frame = frame.assign(study="1", treatment="A")
        (part,) = outcome.evidence(frame, np.zeros((len(frame), 1), dtype=int), Normal(0, 1))
        assert isinstance(part, Arms)
        return part.density(np.full(len(frame), eta), AT, part.data, np)

    total = np.exp(density(whole)).sum()
    assert np.exp(density(joined))[0] == pytest.approx(total, rel=1e-12)
    inside = pd.DataFrame([{"n": n, "some": some + above, "much": NAN, "full": 0}])
    between = [
        {"n": n, "some": k, "much": some + above - k, "full": 0} for k in range(some + above + 1)
    ]
    total = np.exp(density(pd.DataFrame(between))).sum()
    assert np.exp(density(inside))[0] == pytest.approx(total, rel=1e-12)


@BOTH
def test_a_cut_point_that_no_arm_needs_changes_nothing(outcome: Ordinal) -> None:
    """Without `full`, whose people are counted with `much`, as with it untold in every arm."""
    fewer = COUNTS.assign(much=COUNTS[["much", "full"]].sum(axis=1, min_count=1))[
        ["study", "treatment", "n", "some", "much"]
    ]
    untold = fewer.assign(full=NAN)
    short = replace(outcome, categories=["some", "much"])
    one = arms(short, fewer)
    (source,) = network(short, fewer).sources
    rows = source.rows.assign(full=NAN)
    (other,) = outcome.evidence(rows, source.arms, Normal(0, 10))
    assert isinstance(other, Arms)
    assert len(untold) == len(rows)
    eta = np.linspace(-2, 2, len(rows))
    found = other.density(eta, AT, other.data, np)
    np.testing.assert_allclose(found, one.density(eta, AT[:1], one.data, np), rtol=1e-13)


@BOTH
def test_turning_the_categories_round_turns_the_levels(outcome: Ordinal) -> None:
    """Counted from the other end, eta is the highest cut-point minus eta."""
    whole = COUNTS[:2]
    lowest = whole["n"] - whole[NAMES].sum(axis=1)
    turned = whole.assign(some=whole["much"], much=whole["some"], full=lowest)
    known = replace(outcome, cut_points=LogNormal(0, 1))
    one, other = arms(known, whole), arms(known, turned)
    eta, at = np.array([0.3, 1.1]), np.array([-0.3, 0.6])
    highest = known.cut_points_at(at)[-1]
    found = other.density(highest - eta, at[::-1], other.data, np)
    np.testing.assert_allclose(found, one.density(eta, at, one.data, np), rtol=1e-12)


def log_between(above: float, below: float) -> float:
    """Return log(Phi(above) - Phi(below)) by quadrature, scaled by the density inside."""
    nearest = float(np.clip(0.0, below, above))
    inside, _ = integrate.quad(
        lambda x: np.exp((nearest - x) * (nearest + x) / 2), below, above, epsabs=0, epsrel=1e-12
    )
    return float(np.log(inside) - nearest**2 / 2 - np.log(2 * np.pi) / 2)


@pytest.mark.parametrize("level", [-35.0, -9.0, -2.0, 0.4, 3.0, 9.0, 37.0])
@pytest.mark.parametrize("width", [1e-6, 1e-3, 0.3, 2.0])
def test_differences_of_normal_tails_are_exact(level: float, width: float) -> None:
    above, below = np.array([level]), np.array([level - width])
    found = SCALES["SMD"].log_between(above, below, np.array([width]), np)
    assert found[0] == pytest.approx(log_between(level, level - width), rel=1e-9)


@BOTH
@pytest.mark.parametrize("eta", [-60.0, 0.0, 60.0])
def test_both_libraries_agree_in_the_tails_and_so_do_their_slopes(
    outcome: Ordinal, eta: float
) -> None:
    """With empty cells, cells that are not told, and cut-points that nearly meet."""
    import pytensor
    import pytensor.tensor as pt

    part = arms(outcome)
    x, a = pt.dvector("x"), pt.dvector("a")
    there = part.density(x, a, part.data, pt)
    slopes = pytensor.grad(there.sum(), [x, a])
    evaluate = pytensor.function([x, a], [there, *slopes], mode="FAST_COMPILE")
    level = np.full(len(COUNTS), eta)
    for scores in (AT, np.array([-6.0, 2.0])):
        found, by_eta, by_score = evaluate(level, scores)
        here = part.density(level, scores, part.data, np)
        assert np.isfinite(here).all()
        np.testing.assert_allclose(found, here, rtol=1e-9)
        h = 1e-4
        moved = [part.density(level + s * h, scores, part.data, np) for s in (1, -1)]
        np.testing.assert_allclose(by_eta, (moved[0] - moved[1]) / (2 * h), rtol=1e-4, atol=1e-4)
        for k, e in enumerate(np.eye(2)):
            moved = [part.density(level, scores + s * h * e, part.data, np) for s in (1, -1)]
            slope = (moved[0] - moved[1]).sum() / (2 * h)
            assert by_score[k] == pytest.approx(slope, rel=1e-4, abs=1e-3)


@BOTH
def test_cut_points_that_meet_leave_a_number(outcome: Ordinal) -> None:
    """A cell of no width is next to impossible; nothing warns, nothing is undefined."""
    part = arms(outcome)
    density = part.density(np.zeros(len(COUNTS)), np.array([-60.0, 0.0]), part.data, np)
    assert np.isfinite(density).all()
    assert density[0] < -1000  # ten people between cut-points that are one
    assert density[5] > -20  # an arm that does not tell that cell


def test_cut_points_are_the_priors_quantiles_at_normal_scores() -> None:
    scores = np.random.default_rng(3).normal(size=(2, 5, 2))
    for prior, quantile in (
        (Uniform(0, 5), stats.uniform(0, 5).ppf),
        (HalfNormal(2), stats.halfnorm(scale=2).ppf),
        (LogNormal(0, 1), stats.lognorm(1).ppf),
    ):
        z = replace(SMD, cut_points=prior).cut_points_at(scores)
        assert z.shape == (2, 5, 3)
        np.testing.assert_array_equal(z[..., 0], 0)
        steps = quantile(stats.norm.cdf(scores))
        np.testing.assert_allclose(np.diff(z, axis=-1), steps, rtol=1e-10)
    known = replace(SMD, cut_points=Fixed(0.8)).cut_points_at(np.zeros(2))
    np.testing.assert_allclose(known, [0, 0.8, 1.6])


def test_the_prior_of_cut_points_is_stated_and_default_by_measure() -> None:
    assert (SMD.cut_points, OR.cut_points) == (Uniform(0, 5), Uniform(0, 10))
    assert (ONE_CUT.cut_points, SMD.as_normal().cut_points) == (None, None)
    assert replace(OR, measure="SMD") == SMD  # a default follows the settings
    assert replace(SMD, likelihood="normal") == SMD.as_normal()
    own = replace(SMD, cut_points=Uniform(0, 4))
    assert replace(own, measure="OR").cut_points == Uniform(0, 4)
    part = arms(SMD)
    assert part.auxiliary is not None
    assert part.auxiliary.names == ("some to much", "much to full")
    np.testing.assert_array_equal(part.auxiliary.covariance, np.eye(2))
    # 99 % of people may be between two neighbours
    for outcome in (SMD, OR):
        prior: Any = outcome.cut_points
        half = LATENT[outcome.measure].cdf(prior.upper / 2)
        assert 2 * half - 1 == pytest.approx(0.987, abs=0.001)


def test_notices_say_what_is_assumed_and_what_tells_little() -> None:
    notices = network().notices
    assert notices[0].startswith("SMD by probit: differences in standard deviations of a latent")
    assert (
        "Not all of 'some', 'much', 'full' are told by 2, 3, 4. A count there runs up to the next "
        "category told." in notices
    )
    assert "Everybody is in one category in 4 (A)." in notices
    assert network(OR).notices[0].startswith("OR is cumulative: the odds of a category or a higher")
    said = network(replace(SMD, counts="inclusive"), inclusive()).notices
    assert "Not all of 'some', 'much', 'full' are told by 2, 3, 4." in said


def test_what_rests_on_a_prior_is_said() -> None:
    nobody = COUNTS.assign(full=COUNTS["full"].where(COUNTS["full"].isna(), 0))
    nobody.loc[8, "some"] = 0
    notices = network(counts=nobody).notices
    assert "Nobody is in 'full': where it begins rests on the prior." in notices
    assert "Everybody is in one category in 4 (A), 4 (C)." in notices
    alone = pd.concat([COUNTS, pd.DataFrame({"study": "5", "treatment": ["A", "D"], "n": 9})])
    alone.loc[alone["study"] == "5", NAMES] = [[2, 1, 0], [0, 0, 0]]
    notices = network(counts=alone).notices
    said = "Everybody is in the lowest category under D in every trial: its effects rest on"
    assert any(text.startswith(said) for text in notices)
    alone.loc[alone["treatment"] == "D", NAMES] = [0, NAN, 9]
    said = "Everybody is in the highest category under D in every trial: its effects rest on"
    assert any(text.startswith(said) for text in network(counts=alone).notices)


def test_counts_that_fall_in_every_arm_are_asked_about() -> None:
    falling = inclusive()
    asked = [text for text in network(counts=falling.assign(n=200)).notices if "?" in text]
    assert len(asked) == 1
    assert asked[0].startswith("In every arm the counts fall from category to category: is every")
    for counts, outcome in ((COUNTS, SMD), (falling, replace(SMD, counts="inclusive"))):
        assert not any("?" in text for text in network(outcome, counts).notices)


@pytest.mark.filterwarnings("ignore::nma.errors.DataWarning")
@pytest.mark.parametrize("counts", ["exclusive", "inclusive"])
def test_repeated_arms_are_summed_where_they_tell_the_same(counts: Any) -> None:
    table = COUNTS if counts == "exclusive" else inclusive()
    twice = pd.concat([table, table.iloc[[3, 6]]])
    outcome = replace(SMD, counts=counts)
    merged = network(outcome, twice, repeated_arms="merge")
    (source,) = merged.sources
    rows = source.rows[source.rows["n"] == 82]
    assert rows[NAMES].to_numpy()[0, :2].tolist() == (2 * table.iloc[3][NAMES[:2]]).tolist()
    assert rows["full"].isna().all()
    assert any("now some" in text and "full" not in text for text in merged.notices)
    kept = [0.0, 0.0]
    eta = np.full(11, 0.3)
    for k, how in enumerate(("merge", "keep")):
        (source,) = network(outcome, twice, repeated_arms=how).sources
        (part,) = outcome.evidence(source.rows, source.arms, Normal(0, 10))
        assert isinstance(part, Arms)
        level = eta[: len(part.arms)]
        kept[k] = float((part.density(level, AT, part.data, np) - part.data["log_ways"]).sum())
    assert kept[0] == pytest.approx(kept[1], rel=1e-12)


OWN = {"cut_points": Uniform(0, 5)}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"categories": "some"}, r"categories='some' is not a list.*upwards"),
        ({"categories": {"some"}}, "is not a list of columns"),
        ({"categories": []}, "single category, the lowest, which is what remains of n"),
        ({"categories": ["some", "much", "some"]}, "'some' is named twice"),
        ({"categories": ["some", "n"]}, "'n' is named twice"),
        ({"counts": ""}, "`counts` is missing: say counts='exclusive' if everybody is counted"),
        ({"counts": "inclusiv"}, "'inclusiv' is no kind of count.*Did you mean 'inclusive'"),
        ({"measure": "RR"}, "measure='RR' is not offered here: use 'OR', 'SMD'"),
        ({"likelihood": "norm"}, "'norm' is not a choice.*Did you mean 'normal'"),
        ({"likelihood": "normal", **OWN}, "would not be used: the normal approximation has cut-"),
        ({"categories": ["some"], **OWN}, "would not be used: one column of counts has one cut-"),
        ({"cut_points": Normal(0, 1)}, "allows negative values, and cut-points increase"),
        ({"cut_points": Fixed(0)}, "leaves no room between cut-points"),
        ({"cut_points": 5}, r"cut_points=5 cannot be sampled: give a prior.*Uniform\(0, 5\)"),
    ],
    ids=lambda x: str(x) if isinstance(x, dict) else "",
)
def test_settings_that_do_not_go_together_are_refused(settings: Any, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        replace(SMD, **settings)
