"""Decisions: what a clinician and a guideline panel ask of a posterior."""

from nma.decisions._mcid import MCID as MCID

__all__ = [
    "MCID",
]
