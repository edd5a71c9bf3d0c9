"""Checks: of the fit, and of what happens to the answers when one thing is changed."""

from nma.checks._convergence import convergence as convergence
from nma.checks._influence import leave_one_study_out as leave_one_study_out
from nma.checks._prior_sensitivity import prior_sensitivity as prior_sensitivity

__all__ = ["convergence", "leave_one_study_out", "prior_sensitivity"]
