"""Decisions: what a clinician and a guideline panel ask of a posterior."""

from nma.decisions._conditions import Condition as Condition
from nma.decisions._mcid import MCID as MCID
from nma.decisions._questions import beats as beats
from nma.decisions._questions import best as best
from nma.decisions._questions import in_bottom as in_bottom
from nma.decisions._questions import in_top as in_top
from nma.decisions._questions import worst as worst

__all__ = [
    "MCID",
    "Condition",
    "beats",
    "best",
    "in_bottom",
    "in_top",
    "worst",
]
