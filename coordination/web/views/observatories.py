"""The list of observatories with their telescopes."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, Prefetch, Q, QuerySet
from django.utils.translation import gettext as _

from observatories.models import Observatory, Telescope

from .base import PageView

_PER_PAGE = 50


class ObservatoryListView(PageView):
    """Those with telescopes here, unless all that have a code are asked for; found by code, name or operator."""

    template_name = "web/observatories.html"
    section = "observatories"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        asked = self.request.GET.get("q", "").strip()[:100]
        everything = self.request.GET.get("all") == "1"
        page = Paginator(self._found(asked, everything), _PER_PAGE).get_page(self.request.GET.get("page"))
        return super().get_context_data(
            **kwargs, title=_("Observatories"), asked=asked, everything=everything, page=page
        )

    def _found(self, asked: str, everything: bool) -> QuerySet[Observatory]:
        telescopes = Telescope.objects.select_related("organisation").exclude(state=Telescope.State.RETIRED)
        found = Observatory.objects.annotate(telescope_count=Count("telescopes", distinct=True))
        if not everything and not asked:
            found = found.filter(telescope_count__gt=0)
        if asked:
            found = found.filter(
                Q(mpc_code__iexact=asked) | Q(name__icontains=asked) | Q(telescopes__name__icontains=asked)
                | Q(telescopes__organisation__name__icontains=asked)
            )  # fmt: skip
        ordered = found.order_by("-telescope_count", "name", "pk").distinct()
        return ordered.prefetch_related(Prefetch("telescopes", telescopes.order_by("name")))
