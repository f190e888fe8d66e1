"""The page of a telescope."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode

from coordination.booking.claimable import schedulable
from observatories.models import Telescope

from ..figures import Figure, download
from ..telescope_page import NIGHTS, coming_nights, coming_seats, target_counts, tonight_figure, tonight_of
from .base import PageView, not_found


class TelescopeView(PageView):
    """With `figure` and `ending` its night plot as a file."""

    template_name = "web/telescope.html"
    section = "observatories"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        found = Telescope.objects.select_related("observatory", "organisation").filter(pk=kwargs["pk"]).first()
        if found is None:
            return not_found(request, active="observatories")
        context = self.get_context_data(telescope=found)
        if figure := kwargs.get("figure"):
            return download(
                request,
                [each for each in (context["figure"],) if each],
                figure,
                kwargs["ending"],
                f"telescope-{found.pk}",
            )
        return self.render_to_response(context)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        telescope: Telescope = kwargs["telescope"]
        figure: Figure | None = None
        tonight, counts = None, {}
        if nights := coming_nights(telescope, self.now, NIGHTS):
            counts = target_counts(telescope, nights, self.actor)
            tonight = tonight_of(telescope, nights[0], self.now, self.actor)
            address = reverse("web:telescope-figure", args=[telescope.pk, "x", "svg"]).removesuffix("x.svg")
            figure = tonight_figure(telescope, tonight, self.now, address)
        return super().get_context_data(
            **kwargs,
            title=str(telescope),
            observatory=telescope.observatory,
            zone=telescope.observatory.time_zone,
            tonight=tonight,
            nights=[(night, counts.get(night.label, 0)) for night in nights],
            figure=figure,
            seats=coming_seats(telescope, self.now, self.actor),
            calendar_url=self._calendar(telescope),
        )

    def _calendar(self, telescope: Telescope) -> str:
        """Where those who schedule it make its secret calendar address; empty for others."""
        if not schedulable(self.request.user).filter(pk=telescope.organisation_id).exists():
            return ""
        given = urlencode(
            [("organisation", telescope.organisation_id), ("kind", "telescope"), ("telescope", telescope.pk)]
        )
        return f"{reverse('admin:feeds_calendarfeed_add')}?{given}"
