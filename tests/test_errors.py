from __future__ import annotations

import pickle

import numpy as np
import pytest

from nma.errors import (
    DataError,
    DataWarning,
    EngineError,
    Issue,
    Meaning,
    ModelError,
    NmaError,
    NmaWarning,
    explain,
    in_short,
    meanings,
    nearest,
    shortened,
    shown,
)

READ_ON = "Explained: nma.errors.explain('not-positive'), or docs/reference/codes.md#not-positive"
ZERO = Issue("not-positive", "0 is not positive", "Check it.", "Ames", (3,), "se", 0.0)


def test_an_issue_reads_as_place_problem_and_remedy() -> None:
    expected = "trial 'Ames', row 3, column 'se': 0 is not positive. Check it. [not-positive]"
    assert str(ZERO) == expected


def test_an_issue_without_a_place_reads_as_problem_and_remedy() -> None:
    assert str(Issue("empty", "no rows", "Give some.")) == "no rows. Give some. [empty]"


@pytest.mark.parametrize(
    ("rows", "place"),
    [
        ((), ""),
        ((7,), "row 7"),
        ((1, 2), "rows 1, 2"),
        ((1, 2, 3, 4, 5), "rows 1, 2, 3, 4, 5"),
        (tuple(range(1, 10)), "rows 1, 2, 3, 4, 5 and 4 more"),
    ],
)
def test_rows_are_listed_up_to_five(rows: tuple[int, ...], place: str) -> None:
    assert Issue("x", "p", "r", rows=rows).place == place


def test_one_issue_is_the_message_and_leads_to_its_page() -> None:
    assert str(DataError([ZERO])).splitlines() == [str(ZERO), READ_ON]


def test_codes_of_ones_own_lead_nowhere() -> None:
    own = Issue("own-code", "no rows", "Give some.")
    assert str(DataError([own])) == str(own)
    assert str(DataError([own, ZERO])).splitlines()[-1] == READ_ON


def test_several_issues_are_counted_and_listed_by_kind() -> None:
    other = Issue("empty", "no rows", "Give some.")
    error = DataError(iter([ZERO, other, ZERO]))
    assert error.issues == (ZERO, other, ZERO)
    assert str(error).splitlines() == [
        "3 problems in the data:",
        f"  - {ZERO}",
        f"  - {ZERO}",
        f"  - {other}",
        READ_ON + ", and so on for each code",
    ]


def test_many_issues_of_one_kind_are_kept_but_not_all_printed() -> None:
    issues = [Issue("x", f"problem {k}", "Mend.", column="se") for k in range(12)]
    error = DataError(issues)
    assert error.issues == tuple(issues)
    lines = str(error).splitlines()
    assert lines[0] == "12 problems in the data:"
    assert len(lines) == 7
    assert len(str(DataError([ZERO] * 12)).splitlines()) == 8
    assert lines[-1] == "  - ... and 7 more of [x] in column 'se'"


def test_a_data_error_comes_home_from_a_worker() -> None:
    error = pickle.loads(pickle.dumps(DataError([ZERO])))  # noqa: S301  our own pickle
    assert isinstance(error, DataError)
    assert error.issues == (ZERO,)
    assert str(error) == str(DataError([ZERO]))


def test_within_another_text_a_message_leads_nowhere() -> None:
    assert in_short(DataError([ZERO])) == str(ZERO)
    assert in_short(ModelError("It does not fit.")) == "It does not fit."


def test_a_code_is_explained_by_name_in_brackets_or_by_the_error() -> None:
    found = explain("not-positive")
    assert found == explain("[not-positive]") == explain(DataError([ZERO, ZERO]))
    assert repr(found) == str(found)
    lines = str(found).splitlines()
    assert lines[0] == "[not-positive] docs/reference/codes.md#not-positive"
    assert " ".join(lines[1:]).startswith("A number that must be above zero")
    assert max(map(len, lines)) <= 98
    several = explain(DataError([ZERO, Issue("empty", "no rows", "Give some.")]))
    assert [meaning.code for meaning in several.meanings] == ["not-positive", "empty"]
    assert str(several).count("\n\n") == 1


@pytest.mark.parametrize("kind", [DataError, ModelError, EngineError, DataWarning, NmaWarning])
def test_what_has_no_code_is_explained_by_its_class(kind: type[Exception]) -> None:
    (meaning,) = explain(kind).meanings
    assert meaning == explain(kind.__name__).meanings[0]
    assert meaning.page == f"docs/reference/codes.md#{kind.__name__.lower()}"
    if kind is not DataError:
        assert explain(kind("It does not fit.")).meanings == (meaning,)


def test_an_unknown_code_is_refused_with_the_nearest() -> None:
    with pytest.raises(ModelError, match=r"'not-positiv'\. Did you mean 'not-positive'\?"):
        explain("not-positiv")
    with pytest.raises(ModelError, match=r"'KeyError'\."):
        explain(KeyError("x"))


@pytest.mark.parametrize("meaning", meanings().values(), ids=lambda meaning: meaning.code)
def test_every_code_says_what_why_and_what_to_do(meaning: Meaning) -> None:
    parts = (meaning.what, meaning.why, meaning.remedy)
    assert len(set(parts)) == 3
    for part in parts:
        assert len(part) > 8
        assert part[0].isupper() or part[0] == "`"
        assert part.endswith((".", "?"))
        assert part.count("`") % 2 == 0


def test_errors_and_warnings_are_two_families() -> None:
    assert issubclass(DataError, NmaError)
    assert issubclass(DataError, ValueError)
    assert issubclass(ModelError, NmaError)
    assert issubclass(ModelError, ValueError)
    assert issubclass(EngineError, NmaError)
    assert issubclass(EngineError, RuntimeError)
    assert issubclass(DataWarning, NmaWarning)
    assert issubclass(NmaWarning, UserWarning)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("plcebo", " Did you mean 'placebo'?"),
        ("PLACEBO ", " Did you mean 'placebo'?"),
        ("trt", " Did you mean 'treatment'?"),
        ("zzz", ""),
        (None, ""),
        (3, ""),
    ],
)
def test_the_nearest_name_is_offered(name: object, hint: str) -> None:
    assert nearest(name, ["placebo", "treatment"]) == hint


def test_values_are_shown_as_people_write_them() -> None:
    assert shown("a 'b'") == "\"a 'b'\""
    assert shown(np.float64(0.5)) == "0.5"
    assert shown(np.str_("a")) == "'a'"
    assert len(shown("x" * 1000)) == 60
    assert shown("x" * 1000).endswith("...'")


def test_names_are_shortened_to_forty_characters() -> None:
    assert shortened("x" * 40) == "x" * 40
    assert shortened("x" * 41) == "x" * 36 + " ..."
