"""Planned observations: a query, and a file for each day."""

import datetime as dt
import hashlib
from collections.abc import Sequence
from typing import Any

from django.http import Http404, HttpResponse, JsonResponse
from django.utils.cache import get_conditional_response, patch_cache_control
from rest_framework.request import Request

from coordination.common import clock, votable
from coordination.common.actors import ANONYMOUS, actor_of
from coordination.common.problems import DomainError
from coordination.partners.authentication import TokenAuthentication

from . import dali, obsplan
from .vo_view import VoView

DEFAULT_ROWS, MOST_ROWS = 1000, 10_000
KNOWN = frozenset({"TIME", "FACILITY", "EXECUTION_STATUS", "MAXREC", "RESPONSEFORMAT"})


class ObsPlanQueryView(VoView):
    """Public slots; to those who take part in a campaign, also its own."""

    http_method_names = ["get", "post", "head", "options"]

    def get(self, request: Request) -> HttpResponse:
        given = dali.parameters(request._request)
        form = self.form = dali.response_format(given, [dali.JSON, dali.VOTABLE])
        dali.require_known(given, KNOWN)
        most = dali.maxrec(given, DEFAULT_ROWS, MOST_ROWS)
        start, end = dali.time_range(given, clock.now())
        seats = obsplan.planned(
            actor_of(request.user), start, end, facilities=given.get("FACILITY", []), statuses=_statuses(given)
        )
        found = [obsplan.row_of(seat) for seat in seats[: most + 1]]
        response = _answer(found[:most], len(found) > most > 0, form)
        patch_cache_control(response, private=True, max_age=60)
        return response

    post = get


class ObsPlanDayView(VoView):
    """What is public of one UTC day: the same file for everybody."""

    authentication_classes = (TokenAuthentication,)  # to count who asks; a cookie would keep the file out of caches
    http_method_names = ["get", "head", "options"]

    def get(self, request: Request, day: str, ending: str) -> HttpResponse:
        try:
            start = dt.datetime.fromisoformat(day).replace(tzinfo=dt.UTC)
            end = start + dt.timedelta(days=1)
        except (ValueError, OverflowError) as error:
            raise Http404 from error
        seats = obsplan.planned(ANONYMOUS, start, end)[: MOST_ROWS + 1]
        found = [obsplan.row_of(seat) for seat in seats]
        form = dali.JSON if ending == "json" else dali.VOTABLE
        response: Any = _answer(found[:MOST_ROWS], len(found) > MOST_ROWS, form)
        etag = response["ETag"] = f'"{hashlib.sha256(response.content).hexdigest()[:32]}"'
        patch_cache_control(response, public=True, max_age=300)
        answer: Any = get_conditional_response(request, etag, None, response)
        return answer


def _statuses(given: dali.Parameters) -> Sequence[str]:
    by_name = {status.lower(): status for status in obsplan.STATUSES}
    for text in given.get("EXECUTION_STATUS", []):
        if text.lower() not in by_name:
            expected = ", ".join(obsplan.STATUSES)
            raise DomainError(
                f"EXECUTION_STATUS {text[:40]!r} is none; there are {expected}.", field="EXECUTION_STATUS"
            )
    return [by_name[text.lower()] for text in given.get("EXECUTION_STATUS", [])]


def _answer(rows: list[dict[str, Any]], overflow: bool, form: str) -> HttpResponse:
    if form == dali.JSON:
        columns = [
            {"name": c.name, "datatype": c.kind, "unit": c.unit, "ucd": c.ucd, "description": c.description}
            for c in obsplan.COLUMNS
        ]
        status = "OVERFLOW" if overflow else "OK"
        return JsonResponse({"query_status": status, "table": obsplan.NAME, "columns": columns, "rows": rows})
    body = votable.answer(obsplan.COLUMNS, rows, overflow=overflow, name=obsplan.NAME, utype=obsplan.UTYPE)
    return HttpResponse(body, content_type=dali.VOTABLE_TYPE)
