"""Decisions: what a clinician and a guideline panel ask of a posterior."""

from nma.decisions._candidate_trials import candidate_trials as candidate_trials
from nma.decisions._expected_loss import evpi as evpi
from nma.decisions._expected_loss import expected_loss as expected_loss
from nma.decisions._joint_benefit import joint_benefit as joint_benefit
from nma.decisions._mcid import MCID as MCID
from nma.decisions._net_benefit import net_benefit as net_benefit
from nma.decisions._next_trial import next_trial as next_trial

__all__ = [
    "MCID",
    "candidate_trials",
    "evpi",
    "expected_loss",
    "joint_benefit",
    "net_benefit",
    "next_trial",
]
