"""Decisions: what a clinician and a guideline panel ask of a posterior."""

from nma.decisions._mcid import MCID as MCID
from nma.decisions._thresholds import thresholds as thresholds

__all__ = [
    "MCID",
    "thresholds",
]
