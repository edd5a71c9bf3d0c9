"""The versions a result depends on, found without importing anything."""

from __future__ import annotations

import html
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from types import MappingProxyType
from typing import final

__all__ = ["PACKAGES", "Versions", "installed", "show_versions"]

PACKAGES = (
    "bayesnma",
    "numpy",
    "scipy",
    "pandas",
    "xarray",
    "networkx",
    "pymc",
    "pytensor",
    "arviz",
    "nutpie",
    "matplotlib",
)
"""Names on the package index; this library is ``bayesnma`` there."""


@final
@dataclass(frozen=True, repr=False)
class Versions:
    """Versions and machine; it shows itself, in a terminal and in a notebook.

    Parameters
    ----------
    packages : mapping of str to str
        Version of Python and of each package that is installed.
    machine : mapping of str to str
        Operating system, processor, cores, and the library of linear algebra with its threads.
    """

    packages: Mapping[str, str]
    machine: Mapping[str, str]

    def __post_init__(self) -> None:
        object.__setattr__(self, "packages", MappingProxyType(dict(self.packages)))
        object.__setattr__(self, "machine", MappingProxyType(dict(self.machine)))

    def __reduce__(self) -> tuple[type[Versions], tuple[dict[str, str], dict[str, str]]]:
        """Return how to build it anew, since read-only mappings cannot be pickled."""
        return Versions, (dict(self.packages), dict(self.machine))

    def __str__(self) -> str:
        """Return a line for each, to be pasted into a report of a fault."""
        told = {**self.packages, **self.machine}
        width = max(map(len, told))
        return "\n".join(f"{name:<{width}}  {value}" for name, value in told.items())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """Return the same text, which can be copied whole."""
        return f"<pre>{html.escape(str(self))}</pre>"


def show_versions() -> Versions:
    """Return what a report of a fault needs: versions, system, cores and linear algebra.

    Nothing is printed: the value shows itself at the end of a cell, elsewhere it is
    ``print(nma.show_versions())``; in a shell, ``python -m nma versions``.

    Returns
    -------
    Versions
        With the mappings ``packages`` and ``machine``.

    Examples
    --------
    >>> import nma
    >>> found = nma.show_versions()
    >>> list(found.machine)
    ['system', 'processor', 'cores', 'linear algebra']
    """
    return Versions(installed(), _machine())


def _machine() -> dict[str, str]:
    from threadpoolctl import threadpool_info

    pools = [
        f"{pool['internal_api']} {pool['version'] or '?'} ({pool['num_threads']} threads)"
        for pool in threadpool_info()
        if pool["user_api"] == "blas"
    ]
    return {
        "system": platform.platform(),
        "processor": platform.machine(),
        "cores": str(os.cpu_count() or "?"),
        "linear algebra": ", ".join(dict.fromkeys(pools)) or "not loaded",
    }


def installed(packages: Sequence[str] = PACKAGES) -> dict[str, str]:
    """Return the version of Python and of each package that is installed.

    ``python -m nma --version`` prints the same, for a report of a fault or a methods section;
    ``posterior.provenance`` keeps those that a fit was made with.

    Parameters
    ----------
    packages : sequence of str, optional
        Names on the package index. Those that are not installed are left out.

    Returns
    -------
    dict of str to str
        Version by name, ``python`` first.

    Examples
    --------
    >>> import nma
    >>> list(nma.versions.installed(["numpy", "no-such-package"]))
    ['python', 'numpy']
    """
    found = {name: _version(name) for name in packages}
    told = {name: number for name, number in found.items() if number is not None}
    return {"python": platform.python_version(), **told}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
