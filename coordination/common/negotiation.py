"""Which format an answer has."""

from typing import Any

from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request


class FormatNegotiation(DefaultContentNegotiation):
    """`?format=` decides, else `Accept`. An address that names its format means it, whatever the program that fetches
    it accepts by default; one that names a format which is not offered is told so, and not that nothing is there.
    """

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> tuple[Any, str]:
        try:
            chosen: tuple[Any, str] = super().select_renderer(request, renderers, format_suffix)
            return chosen
        except NotAcceptable:
            name = request.query_params.get(self.settings.URL_FORMAT_OVERRIDE)
            if not name:
                raise
            first = self.filter_renderers(renderers, name)[0]
            return first, first.media_type

    def filter_renderers(self, renderers: Any, format: str) -> list[Any]:
        named = [renderer for renderer in renderers if renderer.format == format]
        if not named:
            raise NotAcceptable
        return named
