"""What every page has: the frame around it, and who looks at it."""

import datetime as dt
from functools import cached_property
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.templatetags.static import static
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views import defaults
from django.views.decorators.http import require_POST
from django.views.generic import TemplateView

from coordination.common import clock
from coordination.common.actors import Actor, actor_of
from coordination.visibility.models import Computation
from observatories.models import Telescope
from targets.models import Orbit

from ..remembering import remember

_MACHINES = ("/api/", "/feeds/", "/vo/", "/static/")
THEMES = ("light", "dark", "night")
# Nothing is loaded from elsewhere, and no page can be put into another's frame.
POLICY = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"


def is_for_machines(request: HttpRequest) -> bool:
    return request.path.startswith(_MACHINES)


def data_age() -> dict[str, Any]:
    """Since when windows and orbits are as they are; and whether demonstration data is among them. Three queries."""
    finished = Computation.objects.filter(state=Computation.State.DONE).order_by("-finished_at")
    return {
        "computed_at": finished.values_list("finished_at", flat=True).first(),
        "orbits_at": Orbit.objects.order_by("-pk").values_list("created_at", flat=True).first(),
        "has_demo": Telescope.objects.filter(is_demo=True).exists(),
    }


def layout(request: HttpRequest, active: str, now: dt.datetime) -> dict[str, Any]:
    """What the frame around a page shows."""
    theme = request.COOKIES.get("theme", "")
    theme = theme if theme in THEMES else ""
    sections = (
        ("targets", reverse("web:targets"), _("Targets")),
        ("campaigns", reverse("web:campaigns"), _("Campaigns")),
        ("observatories", reverse("web:observatories"), _("Observatories")),
    )
    return {
        "now": now,
        "today": now.date(),
        "active": active,
        "theme": theme,
        "pressed": {each: "true" if each == theme else "false" for each in THEMES},
        "sections": [{"name": name, "url": url, "label": label} for name, url, label in sections],
        "sign_in_url": f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': request.get_full_path()})}",
        "data_age": data_age(),
    }


def framed(
    request: HttpRequest, template: str, context: dict[str, Any] | None = None, status: int = 200, active: str = ""
) -> HttpResponse:
    """A page inside the frame, from a view that is a function."""
    response = render(request, template, layout(request, active, clock.now()) | (context or {}), status=status)
    response.headers.setdefault("Content-Security-Policy", POLICY)
    return response


class Framed:
    """Puts the page of a view into the frame. `section` is the entry of the navigation that it belongs to."""

    section = ""
    request: HttpRequest
    kwargs: dict[str, Any]

    @cached_property
    def actor(self) -> Actor:
        return actor_of(self.request.user)

    @cached_property
    def now(self) -> dt.datetime:
        """To a minute for a plot as a file, so that those who ask for it get the same one."""
        instant = clock.now()
        return instant.replace(second=0, microsecond=0) if self.kwargs.get("figure") else instant

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        frame = layout(self.request, self.section, self.now)
        context: dict[str, Any] = super().get_context_data(**kwargs)  # type: ignore[misc]
        return frame | context

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
        response.headers.setdefault("Content-Security-Policy", POLICY)
        return response


class PageView(Framed, TemplateView):
    """A page for people."""


@require_POST
def set_theme(request: HttpRequest) -> HttpResponse:
    return remember(request, "theme", THEMES, "theme")


def favicon(request: HttpRequest) -> HttpResponse:
    """Browsers ask for it where what they show names no other, such as a plot or a file of the API."""
    return HttpResponseRedirect(static("web/icon.svg"), headers={"Cache-Control": "max-age=86400"})


def not_found(request: HttpRequest, **further: Any) -> HttpResponse:
    """The page for what is not there, or what one may not know of: both look the same."""
    return framed(request, "web/not_found.html", {"title": _("Not found")} | further, status=404)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """For addresses that no view answers. Programs get Django's own short one, of which the API makes a problem."""
    if is_for_machines(request):
        return defaults.page_not_found(request, exception)
    return not_found(request)
