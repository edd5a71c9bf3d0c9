"""Published networks, with their citation and what each column means."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, final

import pandas as pd

from nma.errors import NmaError, nearest
from nma.network import Network
from nma.outcomes import Continuous, Contrast

__all__ = ["Description", "describe", "load", "names", "network"]


@final
@dataclass(frozen=True)
class Description:
    """What a dataset is.

    Parameters
    ----------
    name, title, citation : str
        What it is called, and where it comes from.
    caption : str
        What every result from it must say; empty for a published network.
    notes : tuple of str
        How the numbers were read.
    columns : mapping of str to str
        What each column means.
    """

    name: str
    title: str
    citation: str
    caption: str
    notes: tuple[str, ...]
    columns: Mapping[str, str]

    def __str__(self) -> str:
        """Return everything as text."""
        lines = [f"{self.name}: {self.title}", self.citation, self.caption, *self.notes]
        columns = [f"  {name}: {meaning}" for name, meaning in self.columns.items()]
        return "\n".join([line for line in lines if line] + columns)


def names() -> tuple[str, ...]:
    """Return the names of all datasets.

    Examples
    --------
    >>> import nma
    >>> nma.datasets.names()
    ('back_pain', 'back_pain_reviews', 'parkinson', 'senn2013')
    """
    found = (entry.name for entry in files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(".csv") for name in found if name.endswith(".csv")))


@cache
def _facts(name: str) -> dict[str, Any]:
    if name not in names():
        listed = ", ".join(names())
        message = f"There is no dataset {name!r}: choose from {listed}.{nearest(name, names())}"
        raise NmaError(message)
    return tomllib.loads((files(__name__) / f"{name}.toml").read_text(encoding="utf-8"))


def describe(name: str) -> Description:
    """Return where a dataset comes from and what its columns mean.

    Parameters
    ----------
    name : str
        One of ``names()``.

    Examples
    --------
    >>> import nma
    >>> nma.datasets.describe("parkinson").columns["mean"]
    'Mean change in daily off-time, hours; negative is a reduction.'
    """
    facts = _facts(name)
    return Description(
        name,
        facts["title"],
        facts["citation"],
        facts["caption"],
        tuple(facts["notes"]),
        MappingProxyType(dict(facts["columns"])),
    )


def load(name: str) -> pd.DataFrame:
    """Return a dataset as a plain DataFrame.

    Parameters
    ----------
    name : str
        One of ``names()``.

    Returns
    -------
    DataFrame
        ``attrs["caption"]`` holds what every result must say about the data.

    Raises
    ------
    NmaError
        If there is no such dataset, with the closest name.

    Examples
    --------
    >>> import nma
    >>> nma.datasets.load("back_pain").loc[0, ["study", "as_printed"]].tolist()
    ['Apeldoorn 2012', '0.49 (-1.34 to 0.37)']
    """
    facts = _facts(name)
    with (files(__name__) / f"{name}.csv").open(encoding="utf-8") as stream:
        frame = pd.read_csv(stream)
    frame.attrs["caption"] = facts["caption"]
    return frame


def network(name: str) -> Network:
    """Return a dataset as a network, read as its source reads it.

    Parameters
    ----------
    name : str
        One of ``names()`` that holds trials.

    Raises
    ------
    NmaError
        If there is no such dataset, or it does not hold trials.

    Examples
    --------
    >>> import nma
    >>> nma.datasets.network("senn2013")
    <Network: 26 trials, 10 treatments, MD, lower is better; next: nma.fit, nma.plots.network>
    """
    if "network" not in _facts(name):
        message = f"{name!r} holds no trials to make a network of: use datasets.load({name!r})."
        raise NmaError(message)
    how = dict(_facts(name)["network"])
    outcome = dict(how.pop("outcome"))
    if how.pop("reader") == "arms":
        return Network.from_arms(load(name), **how, outcome=Continuous(**outcome))
    pair = tuple(outcome.pop("n"))
    return Network.from_contrasts(load(name), **how, outcome=Contrast(**outcome, n=pair))
