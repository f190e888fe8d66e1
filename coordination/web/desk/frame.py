"""The frame of the administration around pages of the desk."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from coordination.common import clock


def page(request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
    """A page in the frame of the administration."""
    frame = {**admin.site.each_context(request), "title": title, "is_fullwidth": "1", "now": clock.now()}
    return TemplateResponse(request, f"web/desk/{template}.html", {**frame, **context})
