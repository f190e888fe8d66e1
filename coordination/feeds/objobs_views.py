"""The three addresses of ObjObsSAP."""

from django.db import OperationalError
from django.http import HttpResponse
from django.urls import reverse
from django.utils.cache import patch_cache_control
from rest_framework.request import Request

from coordination.common import clock, votable
from coordination.common.actors import actor_of
from coordination.visibility.planning import stored_span

from . import dali, objobs, vosi
from .vo_view import VoView


class ObjObsQueryView(VoView):
    http_method_names = ["get", "post", "head", "options"]

    def get(self, request: Request) -> HttpResponse:
        answer = objobs.query(dali.parameters(request._request), actor_of(request.user))
        address = request.build_absolute_uri(reverse("vo:objobs-query"))
        service = votable.Service(objobs.STANDARD_ID, address, objobs.PARAMETERS)
        body = votable.answer(
            answer.columns, answer.rows, overflow=answer.overflow, infos=answer.infos, service=service
        )
        response = HttpResponse(body, content_type=dali.VOTABLE_TYPE)
        patch_cache_control(response, private=True, max_age=60)
        return response

    post = get


class ObjObsCapabilitiesView(VoView):
    http_method_names = ["get", "head", "options"]

    def get(self, request: Request) -> HttpResponse:
        addresses = {
            "ivo://ivoa.net/std/VOSI#capabilities": "vo:objobs-capabilities",
            "ivo://ivoa.net/std/VOSI#availability": "vo:objobs-availability",
            objobs.STANDARD_ID: "vo:objobs-query",
        }
        told = {standard: request.build_absolute_uri(reverse(name)) for standard, name in addresses.items()}
        return HttpResponse(vosi.capabilities(told), content_type="text/xml; charset=utf-8")


class ObjObsAvailabilityView(VoView):
    http_method_names = ["get", "head", "options"]

    def get(self, request: Request) -> HttpResponse:
        """Available if windows are stored from now on."""
        try:
            span = stored_span()
        except OperationalError:
            body = vosi.availability(False, "The database does not answer.")
        else:
            if span is None or span.ends_at <= clock.now():
                body = vosi.availability(False, "No windows are stored; places on the sky can be asked for.")
            else:
                body = vosi.availability(True, f"Windows are stored until {span.ends_at:%Y-%m-%d}.")
        return HttpResponse(body, content_type="text/xml; charset=utf-8")
