"""Campaigns in the administration."""

from .acting import acts_for, acts_for_any, manages_any, scheduled_by
from .campaigns import CampaignAdmin

__all__ = ["CampaignAdmin", "acts_for", "acts_for_any", "manages_any", "scheduled_by"]
