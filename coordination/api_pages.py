"""What the API tells of itself: its addresses, its OpenAPI document, and the pages made from that."""

from typing import Any

from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerView
from rest_framework.request import Request
from rest_framework.routers import APIRootView, DefaultRouter
from rest_framework.views import APIView

from coordination.common.api import refuse_unknown_parameters


class _ReadOnly(APIView):
    http_method_names = ["get", "head"]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        refuse_unknown_parameters(request, set())


class SchemaView(_ReadOnly, SpectacularAPIView):
    pass


class DocsView(_ReadOnly, SpectacularSwaggerView):
    url_name = "api-schema"


class RedocView(_ReadOnly, SpectacularRedocView):
    url_name = "api-schema"
    template_name = "web/redoc.html"


class RootView(_ReadOnly, APIRootView):
    """Where everything begins."""


class Router(DefaultRouter):
    APIRootView = RootView
    include_format_suffixes = False  # one address for a thing; which format, `Accept` and `format` say
