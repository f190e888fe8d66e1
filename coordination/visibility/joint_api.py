"""Joint windows, relays and last chances in the API: computed from the current orbit when they are asked for."""

import contextlib
from collections.abc import Iterator
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from coordination.common import clock
from coordination.common.actors import actor_of
from coordination.common.api import PlainView, refuse_unknown_parameters
from coordination.common.problems import DomainError
from observatories.models import Observatory, Telescope
from targets.models import Target
from targets.services import resolve
from targets.services.ephemerides import Span

from .explain_api import LARGEST_ID
from .joint_results import JointWindow, RelayChain, constant_uncertainty
from .joint_serializers import (
    LONGEST,
    MOST_TELESCOPES,
    RELAY,
    USUAL,
    JointAnswerSerializer,
    JointQuerySerializer,
    LastChancesSerializer,
    WhereWhenSerializer,
)
from .joint_windows import joint_windows_of, last_chances_of, relay_of


class JointWindowsView(PlainView):
    """When telescopes of at least `min_sites` sites can observe a target at once, and what that yields; or the relay of
    telescopes that covers the most time.
    """

    @extend_schema(tags=["windows"], parameters=[JointQuerySerializer], responses=JointAnswerSerializer)
    def get(self, request: Request) -> Response:
        asked = _asked(request, JointQuerySerializer)
        actor = actor_of(request.user)
        target, telescopes, span = resolve(asked["target"], actor), _telescopes(asked), _span(asked)
        with _span_as_asked():
            if asked["mode"] == RELAY:
                answer = {"windows": [], "relay": _relay(target, telescopes, span, asked)}
            else:
                answer = {"windows": _joint(target, telescopes, span, asked), "relay": None}
        answer["mode"] = asked["mode"]
        return Response(JointAnswerSerializer({**_told(target, telescopes, span), **answer}).data)


class LastChanceView(PlainView):
    """The last night in a span on which each telescope can reach a target, and what ends it."""

    @extend_schema(tags=["windows"], parameters=[WhereWhenSerializer], responses=LastChancesSerializer)
    def get(self, request: Request) -> Response:
        asked = _asked(request, WhereWhenSerializer)
        actor = actor_of(request.user)
        target, telescopes, span = resolve(asked["target"], actor), _telescopes(asked), _span(asked)
        with _span_as_asked():
            found = last_chances_of(target, telescopes, span, actor=actor)
        return Response(LastChancesSerializer({**_told(target, telescopes, span), "last_chances": found}).data)


def _joint(target: Target, telescopes: list[Telescope], span: Span, asked: dict[str, Any]) -> list[JointWindow]:
    names = ("min_sites", "least_minutes", "astrometric_error_arcsec", "timing_error_s")
    uncertainty = constant_uncertainty(asked.get("uncertainty_arcsec"))
    return joint_windows_of(target, telescopes, span, uncertainty=uncertainty, **{name: asked[name] for name in names})


def _relay(target: Target, telescopes: list[Telescope], span: Span, asked: dict[str, Any]) -> RelayChain:
    return relay_of(
        target,
        telescopes,
        span,
        handover_minutes=asked["handover_minutes"],
        least_minutes=asked["least_minutes"],
        rotation_period_h=asked.get("rotation_period_h"),
        further_telescopes=_by_id("further", asked.get("further", [])),
        further_observatories=_observatories("further_sites", asked.get("further_sites", [])),
    )


@contextlib.contextmanager
def _span_as_asked() -> Iterator[None]:
    """What the services call the span is `after` and `before` here."""
    try:
        yield
    except DomainError as error:
        if error.field == "span":
            error.field = "before"
        raise


def _told(target: Target, telescopes: list[Telescope], span: Span) -> dict[str, Any]:
    return {"target": target, "telescopes": telescopes, "after": span.starts_at, "before": span.ends_at}


def _asked(request: Request, serializer: type[serializers.Serializer[Any]]) -> dict[str, Any]:
    refuse_unknown_parameters(request, set(serializer().fields))
    query = serializer(data=request.query_params)
    query.is_valid(raise_exception=True)
    return query.validated_data


def _span(asked: dict[str, Any]) -> Span:
    start = asked.get("after") or clock.now()
    try:
        end = asked.get("before") or start + USUAL
        longest = start + LONGEST
    except OverflowError:
        raise DomainError("`after` is too late.", field="after", value=str(start)) from None
    if end <= start:
        raise DomainError("`before` must be later than `after`.", field="before", value=end.isoformat())
    if end > longest:
        expected = f"at most {LONGEST.days} days after `after`"
        raise DomainError(
            f"The span is too long: {expected}.", field="before", value=end.isoformat(), expected=expected
        )
    return Span(start, end)


def _telescopes(asked: dict[str, Any]) -> list[Telescope]:
    found = _by_id("telescopes", asked["telescopes"]) if asked.get("telescopes") else _at_sites(asked["sites"])
    _require_few("telescopes" if asked.get("telescopes") else "sites", len(found))
    return found


def _by_id(field: str, ids: list[int]) -> list[Telescope]:
    """Telescopes in the order asked for."""
    _require_few(field, len(ids))
    possible = [one for one in ids if 0 < one <= LARGEST_ID]
    known = Telescope.objects.select_related("observatory", "organisation").in_bulk(possible)
    if missing := [one for one in ids if one not in known]:
        raise DomainError(f"There is no telescope {missing[0]}.", field=field, value=missing[0])
    return [known[one] for one in ids]


def _at_sites(codes: list[str]) -> list[Telescope]:
    active = Telescope.objects.filter(state=Telescope.State.ACTIVE, observatory__mpc_code__in=codes)
    found = list(active.select_related("observatory", "organisation").order_by("pk"))
    with_telescopes = {telescope.observatory.mpc_code for telescope in found}
    for code in codes:
        if code in with_telescopes:
            continue
        known = Observatory.objects.filter(mpc_code=code).exists()
        what = "no active telescope at the observatory" if known else "no observatory with the code"
        raise DomainError(f"There is {what} {code}.", field="sites", value=code)
    return found


def _observatories(field: str, codes: list[str]) -> list[Observatory]:
    """Observatories with a fixed place, in the order asked for."""
    _require_few(field, len(codes))
    known = {one.mpc_code: one for one in Observatory.objects.filter(mpc_code__in=codes)}
    for code in codes:
        if code not in known:
            raise DomainError(f"There is no observatory with the code {code}.", field=field, value=code)
        if known[code].place is None:
            raise DomainError(f"Observatory {code} has no fixed place.", field=field, value=code)
    return [known[code] for code in codes]


def _require_few(field: str, count: int) -> None:
    if count > MOST_TELESCOPES:
        expected = f"at most {MOST_TELESCOPES} telescopes"
        raise DomainError(
            f"{count} telescopes at once: expected {expected}.", field=field, value=count, expected=expected
        )
