"""Checks: what happens to the answers when one thing in the model or the evidence is changed."""

from nma.checks._prior_sensitivity import prior_sensitivity as prior_sensitivity

__all__ = ["prior_sensitivity"]
