"""Where one arrives: the world now, and the ways on."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views import View

from coordination.common import clock
from coordination.common.actors import actor_of
from coordination.visibility import quality
from coordination.visibility.planning import running_progress
from coordination.visibility.tonight import best_tonight

from ..figures import download
from ..home_page import campaigns_under_way, next_slots, observatories_now, world_figure
from ..labels import said
from ..world_now import world_at
from .base import PageView


class HomeView(PageView):
    template_name = "web/home.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        world = world_at(self.now)
        lit = observatories_now(world, self.actor)
        return super().get_context_data(
            **kwargs,
            world=world,
            figure=world_figure(world, lit),
            lit_count=sum(bool(each.target_count) for each in lit),
            observatory_count=len(lit),
            campaigns=campaigns_under_way(self.now, self.actor),
            slots=next_slots(self.now, self.actor),
            rows=best_tonight(limit=15, actor=self.actor),
            listed_means=said(quality.LISTED_MEANS),
            progress=running_progress(),
        )


class WorldFigureView(View):
    """The map as a file."""

    def get(self, request: HttpRequest, figure: str, ending: str) -> HttpResponse:
        world = world_at(clock.now().replace(second=0, microsecond=0))
        lit = observatories_now(world, actor_of(request.user))
        return download(request, [world_figure(world, lit)], figure, ending, f"world-{world.at:%Y%m%dT%H%M}Z")
