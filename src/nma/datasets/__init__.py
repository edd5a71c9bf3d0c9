"""Published networks and a simulated one, with their source and what each column means."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, final

import pandas as pd

from nma import markup, outcomes
from nma.errors import NmaError, nearest
from nma.network import Network

__all__ = ["Description", "describe", "load", "names", "network"]


@final
@dataclass(frozen=True, repr=False)
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
    truth : mapping of str to float
        Of simulated data, the effects versus the network's reference, on the scale of its
        measure, and tau; empty for real data, whose truth nobody knows.
    """

    name: str
    title: str
    citation: str
    caption: str
    notes: tuple[str, ...]
    columns: Mapping[str, str]
    truth: Mapping[str, float]

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", MappingProxyType(dict(self.columns)))
        object.__setattr__(self, "truth", MappingProxyType(dict(self.truth)))

    def __reduce__(self) -> tuple[type[Description], tuple[Any, ...]]:
        """Return how to build it anew, since read-only mappings cannot be pickled."""
        values = (getattr(self, entry.name) for entry in fields(self))
        plain = (dict(value) if isinstance(value, Mapping) else value for value in values)
        return Description, tuple(plain)

    def __str__(self) -> str:
        """Return everything as text."""
        lines = [f"{self.name}: {self.title}", self.citation, self.caption, *self.notes]
        truth = [f"  truth, {name}: {value:g}" for name, value in self.truth.items()]
        columns = [f"  {name}: {meaning}" for name, meaning in self.columns.items()]
        return "\n".join([line for line in lines if line] + truth + columns)

    def __repr__(self) -> str:
        """Return the same, and what to do next."""
        return f"{self}\nnext: {self._verbs()}"

    def _repr_html_(self) -> str:
        """Return the same, for notebooks."""
        told = [self.citation, *filter(None, [self.caption]), *self.notes]
        return markup.block(
            markup.paragraph(f"{self.name}: {self.title}"),
            markup.bullets(told),
            markup.facts("Columns", self.columns),
            markup.folded("Truth", {name: f"{value:g}" for name, value in self.truth.items()}),
            markup.paragraph(f"next: {self._verbs()}"),
        )

    def _verbs(self) -> str:
        if self.name not in names():
            return "nma.datasets.names()"
        verbs = ["load", "network"] if "network" in _facts(self.name) else ["load"]
        return ", ".join(f"nma.datasets.{verb}({self.name!r})" for verb in verbs)


def names() -> tuple[str, ...]:
    """Return the names of all datasets.

    Examples
    --------
    >>> import nma
    >>> nma.datasets.names()
    ('atrial_fibrillation', 'back_pain', 'back_pain_reviews', 'back_pain_simulated', 'bcg',
    'blocker', 'diabetes', 'dietary_fat', 'linde2016', 'musician', 'parkinson', 'psoriasis',
    'senn2013', 'smoking', 'statins', 'thrombolytics', 'transfusion')
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
        facts["columns"],
        facts.get("truth", {}),
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
        One of ``names()`` whose numbers an outcome of this version reads.

    Raises
    ------
    NmaError
        If there is no such dataset, or no network can be made of it, with the reason.

    Examples
    --------
    >>> import nma
    >>> nma.datasets.network("senn2013")
    <Network: 26 trials, 10 treatments, MD, lower is better; next: nma.fit, nma.plots.network>
    """
    facts = _facts(name)
    if "network" not in facts:
        message = (
            f"{name!r} cannot be read as a network: {facts['reason']}. Use datasets.load({name!r})."
        )
        raise NmaError(message)
    how = dict(facts["network"])
    settings = dict(how.pop("outcome"))
    outcome = getattr(outcomes, settings.pop("kind"))(**settings)
    read: Any = {"arms": Network.from_arms, "contrasts": Network.from_contrasts}[how.pop("reader")]
    made: Network = read(load(name), **how, outcome=outcome)
    return made
