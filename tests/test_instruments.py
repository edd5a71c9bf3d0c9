from __future__ import annotations

import dataclasses
import pickle

import pytest

from nma import instruments
from nma.errors import ModelError
from nma.instruments import ImportantDifference, Instrument


@pytest.mark.parametrize(
    ("name", "upper", "within", "between"),
    [
        # Ostelo 2008, abstract: 15, 2, 5, 10, 20; Hayden 2021: 15 and 10 of 100 points
        ("VAS", 100, 15, 15.0),
        ("NRS", 10, 2, 1.5),
        ("RMDQ", 24, 5, 2.4),
        ("ODI", 100, 10, 10.0),
        ("QBPDS", 100, 20, 10.0),
    ],
)
def test_ranges_and_important_differences_are_those_of_their_sources(
    name: str, upper: float, within: float, between: float
) -> None:
    found = instruments.named(name)
    assert (found.lower, found.upper, found.better) == (0, upper, "lower")
    assert found.important_difference("within-person").value == within
    assert found.important_difference("between-group").value == between
    assert "rescaled" in found.important_difference("between-group").source or upper == 100
    assert [d.value for d in found.important if d.relative] == [0.3]
    assert all(d.source for d in found.important)


def test_every_attribute_is_known_by_its_name() -> None:
    attributes = [v for v in vars(instruments).values() if isinstance(v, Instrument)]
    assert sorted(map(str, attributes)) == sorted(map(str, instruments.known().values()))
    assert all(instruments.named(value.name) is value and value.source for value in attributes)


@pytest.mark.parametrize("name", ["PSFS", "PSEQ", "SF-36 physical functioning"])
def test_some_scales_are_better_when_higher(name: str) -> None:
    assert instruments.named(name).better == "higher"


def test_an_unknown_name_is_met_with_the_closest() -> None:
    with pytest.raises(ModelError, match=r"'RDMQ' is not an instrument.*Did you mean 'RMDQ'"):
        instruments.named("RDMQ")


@pytest.mark.parametrize(
    ("name", "of"),
    [
        ("NPRS", "NRS"),
        ("nrs 11", "NRS"),
        ("NRS (0-10)", "NRS"),
        ("vas 0\u2013100", "VAS"),
        ("VAS mm", "VAS"),
        ("Roland-Morris", "RMDQ"),
        ("roland morris", "RMDQ"),
        ("RDQ", "RMDQ"),
        ("Oswestry", "ODI"),
        ("Quebec", "QBPDS"),
        ("SF-36 PF", "SF-36 physical functioning"),
    ],
)
def test_other_names_of_the_same_instrument_are_understood(name: str, of: str) -> None:
    assert instruments.named(name) is instruments.named(of)


@pytest.mark.parametrize("name", ["VAS 0-10", "VAS cm", "NRS-101", "RMDQ-23", "ODI 0-50"])
def test_names_that_may_have_another_range_are_not_guessed(name: str) -> None:
    with pytest.raises(ModelError, match=r"It may be .*, or a version with another range"):
        instruments.named(name)


def test_a_name_that_could_be_two_is_neither() -> None:
    wide = dataclasses.replace(instruments.NRS, upper=100)
    assert instruments.find("NPRS", {"NRS": instruments.NRS, "wide": wide}) is None
    assert instruments.find("NRS", {"NRS": instruments.NRS, "wide": wide}) is instruments.NRS
    assert instruments.find("NPRS", {"NRS": Instrument("NRS", 0, 100, "lower")}) is None


def test_no_alias_means_two_instruments() -> None:
    for instrument in instruments.known().values():
        for alias in instrument.aliases:
            assert instruments.named(alias) is instrument


def test_aliases_are_several_names() -> None:
    with pytest.raises(ModelError, match=r"is one name: write \('Roland',\)"):
        Instrument("X", 0, 10, "lower", aliases="Roland")  # type: ignore[arg-type]


def test_the_kind_must_be_named_and_neither_stands_in_for_the_other() -> None:
    with pytest.raises(ModelError, match="Neither stands in"):
        instruments.VAS.important_difference("group")  # type: ignore[arg-type]
    only = Instrument("X", 0, 10, "lower", (ImportantDifference(2, "within-person", "me"),))
    with pytest.raises(ModelError, match="X has no between-group important difference in points"):
        only.important_difference("between-group")


@pytest.mark.parametrize(("value", "relative"), [(0, False), (float("nan"), False), (30, True)])
def test_an_important_difference_is_positive_or_a_fraction(value: float, *, relative: bool) -> None:
    with pytest.raises(ModelError, match="is not an important difference"):
        ImportantDifference(value, "within-person", "me", relative=relative)


@pytest.mark.parametrize("bounds", [(10, 0), (0, 0), (0, float("inf")), (float("nan"), 1)])
def test_a_range_has_two_ends(bounds: tuple[float, float]) -> None:
    with pytest.raises(ModelError, match="is not a range of scores"):
        Instrument("X", *bounds, "lower")


def test_a_direction_is_lower_or_higher() -> None:
    with pytest.raises(ModelError, match="better='up' is not a direction"):
        Instrument("X", 0, 10, "up")  # type: ignore[arg-type]


def test_instruments_are_values() -> None:
    copy = pickle.loads(pickle.dumps(instruments.VAS))  # noqa: S301  our own value
    assert copy == instruments.VAS
    assert hash(copy) == hash(instruments.VAS)
    bare = dataclasses.replace(copy, important=())
    assert bare != copy
    assert bare.same_points(copy)
    assert not bare.same_points(dataclasses.replace(copy, upper=10))
