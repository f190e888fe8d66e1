"""What the usual kinds of campaigns need, and which requirements contradict each other."""

from typing import Any

from coordination.common.problems import DomainError

from .models import Campaign

Kind, Mode = Campaign.Kind, Campaign.Mode

# What a new campaign of a kind begins with; whoever creates it may say otherwise.
TEMPLATES: dict[str, dict[str, Any]] = {
    # Two sites that see the same star field from thousands of kilometres apart measure the distance at once.
    Kind.RANGING: {
        "mode": Mode.SIMULTANEOUS,
        "observation_minutes": 20,
        "observation_count": 3,
        "min_sites": 2,
        "min_baseline_km": 3000.0,
    },
    # A rotation is covered when each longitude hands over to the next before its window closes.
    Kind.LIGHT_CURVE: {
        "mode": Mode.RELAY,
        "observation_minutes": 720,
        "observation_count": 1,
        "min_sites": 3,
        "min_longitude_spread_deg": 120.0,
        "min_covered_fraction": 0.8,
        "max_gap_minutes": 120,
        "handover_minutes": 15,
    },
    # Many clocks compared on one fast target: short, and as many sites as there are.
    Kind.TIMING: {
        "mode": Mode.SIMULTANEOUS,
        "observation_minutes": 15,
        "observation_count": 2,
        "min_sites": 3,
        "timing_error_s": 0.01,
    },
    # Whoever can see it in the coming day.
    Kind.RAPID_RESPONSE: {
        "mode": Mode.SIMULTANEOUS,
        "observation_minutes": 20,
        "observation_count": 4,
        "min_sites": 1,
        "claim_lead_hours": 0.0,
        "replacement_lead_hours": 0.0,
        "time_tolerance_minutes": 15.0,
    },
    Kind.OTHER: {},
}

REQUIREMENTS = (
    "mode", "observation_minutes", "observation_count", "min_sites", "min_baseline_km", "min_longitude_spread_deg",
    "min_covered_fraction", "max_gap_minutes", "handover_minutes", "filters", "exposure_s", "cadence_s",
    "astrometric_error_arcsec", "timing_error_s",
)  # fmt: skip


def check_requirements(campaign: Campaign) -> None:
    """Raises DomainError, naming the field, for requirements that no observation could meet together."""
    period_min = (campaign.ends_at - campaign.starts_at).total_seconds() / 60.0
    if campaign.observation_minutes > period_min:
        _refuse(
            campaign, "observation_minutes", f"longer than the campaign, which lasts {period_min:.0f} min",
            f"at most {period_min:.0f}",
        )  # fmt: skip
    if campaign.min_sites < 2:
        for field in ("min_baseline_km", "min_longitude_spread_deg"):
            if getattr(campaign, field):
                _refuse(campaign, field, "one site has neither baseline nor spread", "min_sites of 2 or more")
    if campaign.mode == Mode.SIMULTANEOUS:
        for field in ("min_covered_fraction", "max_gap_minutes"):
            if getattr(campaign, field) is not None:
                _refuse(campaign, field, "only a relay has coverage and gaps", "empty, or mode relay")
    elif campaign.handover_minutes >= campaign.observation_minutes:
        _refuse(
            campaign, "handover_minutes", "neighbours would overlap for the whole observation",
            f"less than {campaign.observation_minutes}",
        )  # fmt: skip
    if campaign.exposure_s and campaign.cadence_s and campaign.cadence_s < campaign.exposure_s:
        _refuse(campaign, "cadence_s", "shorter than one exposure", f"at least {campaign.exposure_s:g}")
    if campaign.replacement_lead_hours > campaign.claim_lead_hours:
        _refuse(
            campaign, "replacement_lead_hours", "replacements are sought until the claim deadline at the earliest",
            f"at most {campaign.claim_lead_hours:g}",
        )  # fmt: skip


def _refuse(campaign: Campaign, field: str, why: str, expected: str) -> None:
    value = getattr(campaign, field)
    raise DomainError(f"{field} is {value}: {why}.", field=field, value=value, expected=expected)
