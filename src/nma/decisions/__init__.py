"""Decisions: what a clinician and a guideline panel ask of a posterior."""

from nma.decisions._better_by import better_by as better_by
from nma.decisions._better_by import mcid_interval as mcid_interval
from nma.decisions._candidate_trials import candidate_trials as candidate_trials
from nma.decisions._conditions import Condition as Condition
from nma.decisions._conversion import responder_rate as responder_rate
from nma.decisions._equivalence import equivalence as equivalence
from nma.decisions._expected_loss import evpi as evpi
from nma.decisions._expected_loss import expected_loss as expected_loss
from nma.decisions._joint_benefit import joint_benefit as joint_benefit
from nma.decisions._mcid import MCID as MCID
from nma.decisions._near_best import mcid_scores as mcid_scores
from nma.decisions._near_best import near_best as near_best
from nma.decisions._net_benefit import net_benefit as net_benefit
from nma.decisions._next_trial import next_trial as next_trial
from nma.decisions._probability import probability as probability
from nma.decisions._questions import beats as beats
from nma.decisions._questions import best as best
from nma.decisions._questions import in_bottom as in_bottom
from nma.decisions._questions import in_top as in_top
from nma.decisions._questions import worst as worst
from nma.decisions._responders import responders as responders
from nma.decisions._thresholds import thresholds as thresholds
from nma.partial_orders import partial_order as partial_order

__all__ = [
    "MCID",
    "Condition",
    "beats",
    "best",
    "better_by",
    "candidate_trials",
    "equivalence",
    "evpi",
    "expected_loss",
    "in_bottom",
    "in_top",
    "joint_benefit",
    "mcid_interval",
    "mcid_scores",
    "near_best",
    "net_benefit",
    "next_trial",
    "partial_order",
    "probability",
    "responder_rate",
    "responders",
    "thresholds",
    "worst",
]
