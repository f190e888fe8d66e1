"""Pages are sent compressed: they are mostly tables and drawings, a fifth of their length so."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

from .views.base import is_for_machines


class CompressPages(GZipMiddleware):
    """What people read. Programs get the bytes as they are, whose ETags have to stay strong for If-Match."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if is_for_machines(request) or not response.get("Content-Type", "").startswith(("text/", "image/svg")):
            return response
        return super().process_response(request, response)
