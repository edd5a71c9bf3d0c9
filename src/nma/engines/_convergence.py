"""Whether a Markov chain can be believed, chain by chain and parameter by parameter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from nma import _arviz

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

__all__ = ["Judgement", "judge", "labelled"]

R_HAT, ESS_PER_CHAIN, E_FMI = 1.01, 100, 0.3
"""Limits beyond which a fit is poor (Vehtari et al. 2021; Betancourt 2016)."""


@final
@dataclass(frozen=True, eq=False)
class Judgement:
    """The diagnostics of a run.

    Parameters
    ----------
    convergence : Dataset, (statistic, ...)
        R-hat and effective draws of every quantity that was sampled.
    divergences : array of int, (chain,)
        Draws whose trajectory diverged.
    e_fmi : array, (chain,)
        Estimated fraction of missing information of the energy.
    draws : int
        Draws in each chain.
    """

    convergence: xr.Dataset
    divergences: NDArray[np.int64]
    e_fmi: NDArray[np.float64]
    draws: int

    @property
    def worst(self) -> dict[str, float]:
        """The worst of each diagnostic over chains and quantities."""
        values = dict(labelled(self.convergence)).values()
        return {
            "r_hat": float(np.max([v["r_hat"] for v in values], initial=-np.inf)),
            "ess_bulk": float(np.min([v["ess_bulk"] for v in values], initial=np.inf)),
            "ess_tail": float(np.min([v["ess_tail"] for v in values], initial=np.inf)),
            "divergences": float(self.divergences.sum()),
            "e_fmi": float(self.e_fmi.min()),
        }

    @property
    def faults(self) -> tuple[str, ...]:
        """Why the draws must not be relied on, as sentences."""
        return (*self._mixing(), *self._divergent(), *self._energy())

    def _mixing(self) -> list[str]:
        if self.draws < _arviz.FEWEST:
            return [f"{self.draws} draws in a chain are too few to judge anything by."]
        if len(self.e_fmi) < 2:
            alone = "One chain alone cannot show that it has converged: use two or more."
            return [alone, *self._few()]
        return [*self._apart(), *self._few()]

    def _apart(self) -> list[str]:
        values = {name: v["r_hat"] for name, v in labelled(self.convergence)}
        apart = {name: r_hat for name, r_hat in values.items() if not r_hat <= R_HAT}
        if not apart:
            return []
        worst = max(apart, key=lambda name: np.nan_to_num(apart[name], nan=np.inf))
        of = f"{len(apart)} of {len(values)} quantities"
        upto = f"up to {apart[worst]:.3f} for {worst!r}"
        return [f"Chains disagree: R-hat is above {R_HAT} for {of}, {upto}."]

    def _few(self) -> list[str]:
        least = ESS_PER_CHAIN * len(self.e_fmi)
        named = labelled(self.convergence)
        values = {name: float(np.min([v["ess_bulk"], v["ess_tail"]])) for name, v in named}
        few = {name: ess for name, ess in values.items() if not ess >= least}
        if not few:
            return []
        worst = min(few, key=lambda name: np.nan_to_num(few[name], nan=-np.inf))
        of = f"{len(few)} of {len(values)} quantities"
        down = f"down to {few[worst]:.0f} for {worst!r}"
        return [f"Too few effective draws: below {least} for {of}, {down}."]

    def _divergent(self) -> list[str]:
        total = int(self.divergences.sum())
        if not total:
            return []
        each = ", ".join(map(str, self.divergences))
        of = self.draws * len(self.divergences)
        missing = "so parts of the posterior may be missing"
        return [f"{total} of {of} draws diverged (by chain: {each}), {missing}."]

    def _energy(self) -> list[str]:
        if self.draws < _arviz.FEWEST or np.all(self.e_fmi >= E_FMI):
            return []
        each = ", ".join(f"{fraction:.2f}" for fraction in self.e_fmi)
        return [f"The energy is poorly explored: E-FMI is below {E_FMI} (by chain: {each})."]


def judge(values: xr.Dataset, statistics: xr.Dataset) -> Judgement:
    """Return the diagnostics of draws.

    Parameters
    ----------
    values : Dataset, (chain, draw, ...)
        The quantities that were sampled, constants left out.
    statistics : Dataset, (chain, draw)
        ``diverging`` and ``energy``.
    """
    return Judgement(
        convergence=_arviz.convergence(values),
        divergences=statistics["diverging"].sum("draw").to_numpy().astype(np.int64),
        e_fmi=_arviz.energy_fractions(statistics["energy"].to_numpy()),
        draws=values.sizes["draw"],
    )


def labelled(convergence: xr.Dataset) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield every quantity by name with its statistics."""
    names = convergence["statistic"].to_numpy().tolist()
    for variable, table in convergence.data_vars.items():
        others = [dim for dim in table.dims if dim != "statistic"]
        rows = table.transpose("statistic", *others).to_numpy().reshape(len(names), -1)
        labels = table[others[0]].to_numpy() if others else [None]
        for label, column in zip(labels, rows.T, strict=True):
            name = str(variable) if label is None else f"{variable}[{label}]"
            yield name, dict(zip(names, column.tolist(), strict=True))
