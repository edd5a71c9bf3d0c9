"""Networks whose treatments bear names that would break a page."""

from __future__ import annotations

import numpy as np
import pandas as pd

import nma

__all__ = ["HOSTILE", "MANY", "SCRIPT", "network"]

SCRIPT = "<script>alert(1)</script>"
HOSTILE = [SCRIPT, "a & b | c `d` \\ $x^2$", "</caption></table></svg>", 'x" onload="y', "url(#a)"]
LONG = "a very long name of a treatment that goes on " * 5
MANY = [f"treatment {k}" for k in range(28)] + [LONG.strip(), "w" * 300]


def network(names: list[str], seed: int = 5) -> nma.Network:
    """A ring of trials with a centre."""
    rng = np.random.default_rng(seed)
    pairs = [(name, names[0]) for name in names[1:]] + list(
        zip(names[2:], names[1:-1], strict=True)
    )
    frame = pd.DataFrame(pairs, columns=["t", "c"])
    frame = frame.assign(s=[f"<i>{k}</i>" for k in range(len(frame))], se=0.2)
    frame["y"] = rng.normal(0, 0.4, len(frame))
    outcome = nma.outcomes.Contrast("y", "se", measure="SMD", better="lower")
    return nma.Network.from_contrasts(
        frame, study="s", treatment="t", comparator="c", outcome=outcome, reference=names[0]
    )
