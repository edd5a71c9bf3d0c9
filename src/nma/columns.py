"""Columns of the arms that come from elsewhere: doses of treatments, covariates of trials."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from nma.errors import DataError, Issue, ModelError, nearest
from nma.intake import OURS

if TYPE_CHECKING:
    from nma.network import Network

__all__ = ["assign"]


def assign(
    network: Network,
    *,
    by: Literal["treatment", "study"] = "treatment",
    **columns: Mapping[str, float | str],
) -> Network:
    """Return the network with further columns of its arms, told by treatment or by trial.

    For what a table of contrasts cannot say of each side, such as a dose, and for what stands in
    another table, such as a covariate of trials.

    Parameters
    ----------
    network : Network
        The evidence.
    by : {"treatment", "study"}, default "treatment"
        What the mappings are by.
    **columns : mapping of str to float or str
        For each column its values; arms whose name is not there have none.

    Returns
    -------
    Network
        A column that was there is replaced.

    Raises
    ------
    DataError
        If a name is none of the network's, with the closest.
    ModelError
        If what is given is no mapping, or a column has a name of ours.

    Examples
    --------
    >>> import nma
    >>> network = nma.datasets.network("back_pain")
    >>> network = nma.assign(network, sessions={"standard exercise": 8, "multimodal care": 12})
    >>> network.arms.groupby("treatment")["sessions"].first().dropna().to_dict()
    {'multimodal care': 12.0, 'standard exercise': 8.0}
    """
    _require_choices(by, columns)
    issues = [*_unknown(network, by, columns)]
    if issues:
        raise DataError(issues)
    keys = network.table[by].tolist()
    found: dict[str, Any] = {
        name: [told.get(key) for key in keys] for name, told in columns.items()
    }
    return replace(network, table=network.table.assign(**found))


def _require_choices(by: str, columns: Mapping[str, Any]) -> None:
    faults = [
        f"{name}={told!r} is no mapping: write {name}={{'name': value, ...}}."
        for name, told in columns.items()
        if not isinstance(told, Mapping)
    ]
    faults += [f"{name!r} is a column of ours: choose another." for name in columns if name in OURS]
    if by not in {"treatment", "study"}:
        faults.append(f"by={by!r} is none of 'treatment', 'study'.")
    if faults:
        raise ModelError(" ".join(faults))


def _unknown(
    network: Network, by: str, columns: Mapping[str, Mapping[str, float | str]]
) -> Iterator[Issue]:
    known = dict.fromkeys(network.table[by])
    for column, told in columns.items():
        for name in told:
            if name not in known:
                what = "treatment" if by == "treatment" else "trial"
                message = f"{name!r} is no {what} of the network"
                yield Issue(
                    "unknown-name", message, f"Mend the name.{nearest(name, known)}", column=column
                )
