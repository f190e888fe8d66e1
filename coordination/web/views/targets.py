"""Targets: the list with its search, and each one's page."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from targets.designations import key_of, lookup_keys
from targets.models import Designation, Target, visible_target_q
from targets.services.lookup import UnknownDesignationError, find, resolve

from ..figures import download
from ..target_page import campaigns_of, target_page, window_rows
from ..target_risk import watched_of
from .base import PageView, not_found

_PER_PAGE, _ROWS = 50, 14


class TargetListView(PageView):
    """Brightest of the coming nights first; found by any beginning of any designation."""

    template_name = "web/targets.html"
    section = "targets"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        asked = self.request.GET.get("q", "").strip()[:100]
        only = self.request.GET.get("all") != "1" and not asked
        page = Paginator(self._found(asked, only), _PER_PAGE).get_page(self.request.GET.get("page"))
        return super().get_context_data(
            **kwargs, title=_("Targets"), asked=asked, only=only, page=page, nearest=self._nearest(asked, page)
        )

    def _found(self, asked: str, only: bool) -> QuerySet[Target]:
        targets = Target.objects.visible_to(self.actor).select_related("current_orbit", "ephemeris")
        targets = targets.defer("ephemeris__blocks", "ephemeris__state")
        if only:
            targets = targets.filter(ephemeris__blocks__isnull=False)
        if asked:
            key = key_of(asked)
            named = Q(key__in=lookup_keys(asked)) | (Q(key__startswith=key) if key else Q())
            known = Designation.objects.filter(named, visible_target_q(self.actor, "target__")) if key else None
            targets = targets.filter(pk__in=known.values("target_id")) if known is not None else targets.none()
        return targets.order_by(F("ephemeris__brightest_v_mag").asc(nulls_last=True), "designation")

    def _nearest(self, asked: str, page: Any) -> list[str]:
        if not asked or page.paginator.count:
            return []
        try:
            resolve(asked, self.actor)
        except UnknownDesignationError as error:
            return list(error.extra.get("nearest", []))
        return []


class TargetView(PageView):
    """Under any of its designations; with `figure` and `ending` one of its plots as a file."""

    template_name = "web/target.html"
    section = "targets"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        asked, figure = kwargs["designation"], kwargs.get("figure")
        try:
            target_id = find(asked, self.actor) or resolve(asked, self.actor).pk
        except UnknownDesignationError as error:
            return not_found(request, asked=asked, nearest=error.extra.get("nearest", []), active="targets")
        known = ("current_orbit", "ephemeris", "orbit_check", "ephemeris_comparison")
        target = Target.objects.select_related(*known).get(pk=target_id)
        if target.designation != asked:
            query = request.GET.urlencode()
            return redirect(_address(target, kwargs) + (f"?{query}" if query else ""))
        page = target_page(target, self.actor, request.GET.getlist("telescope"), self.now)
        if figure:
            return download(request, list(page.figures.values()), figure, kwargs["ending"], f"{key_of(asked).lower()}")
        return self.render_to_response(self.get_context_data(target_page=page))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        page = kwargs["target_page"]
        return super().get_context_data(
            **kwargs,
            title=str(page.target),
            target=page.target,
            orbit=page.target.current_orbit,
            watched=watched_of(page.target, page.target.current_orbit, self.now),
            names=[each.text for each in page.target.designations.all()],
            campaigns=list(campaigns_of(page.target, self.actor)),
            rows=window_rows(page.windows, _ROWS),
            further=max(0, len(page.windows) - _ROWS),
            site_count=len({window.telescope.observatory_id for window in page.windows}),
        )


def _address(target: Target, kwargs: dict[str, Any]) -> str:
    if figure := kwargs.get("figure"):
        return reverse("web:target-figure", args=[target.designation, figure, kwargs["ending"]])
    return reverse("web:target", args=[target.designation])
