"""Every verb that takes a posterior says so to who gives it something else."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

import nma
from nma.errors import ModelError


def verbs() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every public function whose first parameter is a posterior, or posteriors by name."""
    modules = [getattr(nma, name) for name in nma.__all__]
    for module in [nma, *(found for found in modules if isinstance(found, ModuleType))]:
        for name in module.__all__:
            found = getattr(module, name)
            if inspect.isfunction(found) and _first(found) in WANTED:
                yield f"{module.__name__}.{name}", found


WANTED = ("Posterior", "Posterior | Mapping[str, Posterior]", "Mapping[str, Posterior]")


def _first(verb: Callable[..., Any]) -> str:
    return next((str(p.annotation) for p in inspect.signature(verb).parameters.values()), "")


def _needed(verb: Callable[..., Any]) -> dict[str, Any]:
    """Return something for every argument that has no default."""
    others = list(inspect.signature(verb).parameters.values())[1:]
    kinds = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return {p.name: None for p in others if p.kind in kinds and p.default is p.empty}


VERBS = dict(verbs())


def test_there_are_many() -> None:
    assert len(VERBS) > 50
    assert {"nma.league_table", "nma.checks.loops", "nma.fit_measures.dic"} < set(VERBS)


@pytest.mark.parametrize("name", VERBS)
def test_a_network_is_told_how_to_become_one(name: str) -> None:
    network = nma.datasets.network("back_pain")
    with pytest.raises(ModelError) as told:
        VERBS[name](network, **_needed(VERBS[name]))
    said = str(told.value)
    assert name.rpartition(".")[2] in said
    assert "Network" in said
    assert "nma.fit(network" in said
