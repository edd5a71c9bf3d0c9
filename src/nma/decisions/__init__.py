"""Decisions: what a clinician and a guideline panel ask of a posterior."""

from nma.decisions._better_by import better_by as better_by
from nma.decisions._better_by import mcid_interval as mcid_interval
from nma.decisions._conversion import responder_rate as responder_rate
from nma.decisions._equivalence import equivalence as equivalence
from nma.decisions._mcid import MCID as MCID
from nma.decisions._near_best import mcid_scores as mcid_scores
from nma.decisions._near_best import near_best as near_best
from nma.decisions._responders import responders as responders

__all__ = [
    "MCID",
    "better_by",
    "equivalence",
    "mcid_interval",
    "mcid_scores",
    "near_best",
    "responder_rate",
    "responders",
]
