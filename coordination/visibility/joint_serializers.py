"""What the API asks and tells of joint windows, relays and last chances."""

import datetime as dt
import math
from collections.abc import Callable
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from coordination.common.api import RoundedField
from coordination.common.filters import InstantField

from .api import WindowTargetSerializer, WindowTelescopeSerializer
from .explain_api import REASONS
from .joint_windows import ASTROMETRIC_ERROR_ARCSEC, HANDOVER_MINUTES

MOST_TELESCOPES = 100
LONGEST = dt.timedelta(days=31)
USUAL = dt.timedelta(days=7)
MOST_MINUTES = 1440.0
SIMULTANEOUS, RELAY = "simultaneous", "relay"


@extend_schema_field(OpenApiTypes.DATETIME)
class InstantParameter(serializers.Field[dt.datetime, str, str, Any]):
    """An instant with a zone."""

    def to_internal_value(self, data: str) -> dt.datetime:
        instant = InstantField().clean(data)
        assert isinstance(instant, dt.datetime)  # an empty one was refused before
        return instant


class ListParameter(serializers.RegexField):
    """Values in a row, each once, in the order given."""

    def __init__(self, regex: str, convert: Callable[[str], Any], **kwargs: Any) -> None:
        super().__init__(regex, **kwargs)
        self.convert = convert

    def run_validation(self, data: Any = serializers.empty) -> Any:
        text = super().run_validation(data)
        return [self.convert(part) for part in dict.fromkeys(text.split(","))] if text else []


class NumberParameter(serializers.FloatField):
    """A finite number."""

    def to_internal_value(self, data: Any) -> float:
        value = super().to_internal_value(data)
        if not math.isfinite(value):
            self.fail("invalid")
        return value


class WhereWhenSerializer(serializers.Serializer[Any]):
    target = serializers.CharField(help_text="Any designation, such as 99942, Apophis or K04M04N.")
    telescopes = ListParameter(
        r"^[0-9]{1,19}(,[0-9]{1,19})*$",
        int,
        required=False,
        help_text=f"Identifiers of telescopes, such as 1,2,3; at most {MOST_TELESCOPES}. This or `sites`.",
    )
    sites = ListParameter(
        r"^[0-9A-Za-z]{3,4}(,[0-9A-Za-z]{3,4})*$",
        str.upper,
        required=False,
        help_text="MPC codes, such as W84,J04: all active telescopes there. This or `telescopes`.",
    )
    after = InstantParameter(required=False, help_text="Start of the span; default now.")
    before = InstantParameter(
        required=False,
        help_text=f"End of the span, at most {LONGEST.days} days later; default {USUAL.days} days later.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if bool(attrs.get("telescopes")) == bool(attrs.get("sites")):
            raise serializers.ValidationError({"telescopes": ["Give either `telescopes` or `sites`."]})
        return attrs


class JointQuerySerializer(WhereWhenSerializer):
    mode = serializers.ChoiceField(
        [SIMULTANEOUS, RELAY],
        default=SIMULTANEOUS,
        help_text="`simultaneous`: when telescopes of enough sites can observe at once; `relay`: the chain of "
        "telescopes that covers the most time.",
    )
    min_sites = serializers.IntegerField(
        min_value=1, max_value=MOST_TELESCOPES, default=2, help_text="Simultaneous: at least so many sites."
    )
    least_minutes = NumberParameter(
        min_value=0.0,
        max_value=MOST_MINUTES,
        default=0.0,
        help_text="Simultaneous: shorter joint windows are left out; relay: shorter windows are no legs.",
    )
    astrometric_error_arcsec = NumberParameter(
        min_value=0.0, max_value=3600.0, default=ASTROMETRIC_ERROR_ARCSEC, help_text="Of one site's place."
    )
    timing_error_s = NumberParameter(
        min_value=0.0, max_value=3600.0, default=0.0, help_text="Of one site's clock; the motion counts by it."
    )
    uncertainty_arcsec = NumberParameter(
        min_value=0.0,
        max_value=648_000.0,
        required=False,
        help_text="1-sigma semi-major axis of the target's place, to tell whether it fits the fields.",
    )
    handover_minutes = NumberParameter(
        min_value=0.0,
        max_value=MOST_MINUTES,
        default=HANDOVER_MINUTES,
        help_text="Relay: by so much neighbours overlap.",
    )
    rotation_period_h = NumberParameter(
        min_value=1e-3, max_value=1e5, required=False, help_text="Relay: to tell the fraction of phases covered."
    )
    further = ListParameter(
        r"^[0-9]{1,19}(,[0-9]{1,19})*$",
        int,
        required=False,
        help_text="Relay: identifiers of further telescopes that could fill gaps.",
    )
    further_sites = ListParameter(
        r"^[0-9A-Za-z]{3,4}(,[0-9A-Za-z]{3,4})*$",
        str.upper,
        required=False,
        help_text="Relay: MPC codes of observatories that could fill gaps, with usual limits: Sun below -18 deg, "
        "target above 20 deg, Moon 30 deg away, V to 21.",
    )


class SampleSerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField(help_text="instant")
    distance_au = RoundedField(8, help_text="geocentric distance")
    baseline_km = RoundedField(
        3, allow_null=True, help_text="largest baseline between two sites, perpendicular to the line of sight"
    )
    baseline_telescopes = serializers.ListField(
        child=serializers.IntegerField(), allow_null=True, help_text="the two telescopes of that baseline"
    )
    parallax_arcsec = RoundedField(4, allow_null=True, help_text="baseline over distance")
    range_error_fraction = RoundedField(8, allow_null=True, help_text="1-sigma error of the distance, of the distance")
    range_error_km = RoundedField(3, allow_null=True, help_text="the same in km")
    min_altitude_deg = RoundedField(4, help_text="lowest altitude among the telescopes")
    v_mag = RoundedField(3, allow_null=True, help_text="faintest V among the telescopes")
    v_margin_mag = RoundedField(3, allow_null=True, help_text="least of limit minus V")
    fits_fields = serializers.BooleanField(
        allow_null=True, help_text="whether the 3-sigma ellipse fits every field; null: not known"
    )


class SegmentSerializer(serializers.Serializer[Any]):
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    telescopes = serializers.ListField(
        child=serializers.IntegerField(), source="telescope_ids", help_text="all that can observe"
    )
    sites = serializers.ListField(
        child=serializers.IntegerField(),
        help_text="their sites (within 50 km is one), each called by the first telescope there",
    )
    longitude_spread_deg = RoundedField(3, help_text="360 deg minus the largest gap between the sites")
    samples = SampleSerializer(many=True, help_text="what it yields at start, middle and end")


class JointWindowSerializer(serializers.Serializer[Any]):
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    minutes = RoundedField(3)
    most_sites = serializers.IntegerField(help_text="in its best segment")
    segments = SegmentSerializer(many=True, help_text="parts in which the same telescopes can observe")


class LegSerializer(serializers.Serializer[Any]):
    telescope = serializers.IntegerField(source="telescope_id")
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    peak_altitude_deg = RoundedField(4, help_text="highest altitude in the telescope's window")
    v_mag = RoundedField(3, allow_null=True, help_text="V there")
    handed_on = serializers.BooleanField(help_text="whether the next leg overlaps by the whole hand-over")


class FillerSerializer(serializers.Serializer[Any]):
    telescope = serializers.IntegerField(
        source="who.telescope_id", allow_null=True, help_text="null: an observatory with usual limits"
    )
    observatory = serializers.IntegerField(source="who.observatory_id")
    name = serializers.CharField(source="who.name", help_text="of the telescope, or of the observatory")
    minutes = RoundedField(3)
    fraction = RoundedField(6, help_text="of the gap")


class GapSerializer(serializers.Serializer[Any]):
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    minutes = RoundedField(3)
    fillers = FillerSerializer(many=True, help_text="further telescopes that could observe, the longest first")


class RelaySerializer(serializers.Serializer[Any]):
    legs = LegSerializer(many=True)
    gaps = GapSerializer(many=True)
    coverage_h = RoundedField(4, help_text="time covered")
    covered_fraction = RoundedField(6, help_text="of the span")
    rotation_fraction = RoundedField(6, allow_null=True, help_text="of the phases of the rotation")


class _SpanSerializer(serializers.Serializer[Any]):
    target = WindowTargetSerializer(help_text="what is observed")
    telescopes = WindowTelescopeSerializer(many=True, help_text="those asked about")
    after = serializers.DateTimeField(help_text="start of the span")
    before = serializers.DateTimeField(help_text="end of the span")


class JointAnswerSerializer(_SpanSerializer):
    mode = serializers.CharField()
    windows = JointWindowSerializer(many=True, help_text="joint windows in order of time; none for a relay")
    relay = RelaySerializer(allow_null=True, help_text="the chain; null unless asked for")


class LastChanceSerializer(serializers.Serializer[Any]):
    telescope = serializers.IntegerField(source="telescope_id")
    night = serializers.DateField(allow_null=True, help_text="local date of the last night with a window")
    starts_at = serializers.DateTimeField(allow_null=True, help_text="start of the last window")
    ends_at = serializers.DateTimeField(allow_null=True)
    opened_by = serializers.CharField(help_text="the constraint that opens it; empty where there is none")
    closed_by = serializers.CharField()
    lost = serializers.BooleanField(help_text="whether nights without a window follow inside the span")
    lost_on = serializers.DateField(allow_null=True, help_text="local date of the first of them")
    reasons = serializers.ListField(
        child=serializers.CharField(), help_text=f"what rules it out, the one that explains best first: {REASONS}"
    )
    detail = serializers.CharField(help_text="the same for people, with its figures")


class LastChancesSerializer(_SpanSerializer):
    last_chances = LastChanceSerializer(many=True, help_text="one for each telescope")
