"""Holds docs/checked.csv to what each test compares; ``--write-checked`` writes it anew."""

from __future__ import annotations

from collections.abc import Generator

import pytest

import comparisons
from comparisons import Comparison

FRESH: dict[str, list[Comparison]] = {}
COMMITTED = comparisons.read() if comparisons.FILE.is_file() else {}

STALE = "docs/checked.csv is not what this test compares; run make checked and read its diff:"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--write-checked", action="store_true", help="write docs/checked.csv from these tests"
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    name = item.nodeid.removeprefix("tests/literature/")
    with comparisons.recording() as rows:
        yield
        FRESH[name] = [*rows]
    if not item.config.getoption("--write-checked", default=False):
        found = comparisons.differences(COMMITTED.get(name, []), FRESH[name])
        if found:
            pytest.fail("\n".join([STALE, *found]), pytrace=False)


def pytest_configure(config: pytest.Config) -> None:
    spread = hasattr(config, "workerinput") or getattr(config.option, "numprocesses", None)
    if config.getoption("--write-checked", default=False) and spread:
        raise pytest.UsageError("--write-checked needs one process")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Write what ran; after a part of the folder, keep the rows of the rest."""
    if session.config.getoption("--write-checked", default=False) and exitstatus == 0:
        chosen = session.config.option.keyword or session.config.option.markexpr
        whole = session.config.args == ["tests/literature"] and not chosen
        rows = FRESH if whole else {**COMMITTED, **FRESH}
        comparisons.write({name: found for name, found in rows.items() if found})
