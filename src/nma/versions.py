"""The versions a result depends on, found without importing anything."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

__all__ = ["PACKAGES", "installed"]

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
