"""Pages for people."""

from typing import Any

from django.views.generic import TemplateView

from coordination.common import clock
from coordination.common.actors import actor_of
from coordination.visibility import quality
from coordination.visibility.planning import running_progress, stored_span
from coordination.visibility.tonight import best_tonight
from observatories.models import Observatory, Telescope
from targets.models import Target


class HomeView(TemplateView):
    """Where one arrives: what is best tonight, and the ways on."""

    template_name = "web/home.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            **kwargs,
            now=clock.now(),
            rows=best_tonight(limit=20, actor=actor_of(self.request.user)),
            listed_means=quality.LISTED_MEANS,
            span=stored_span(),
            progress=running_progress(),
            counts={
                "targets": Target.objects.count(),
                "observatories": Observatory.objects.count(),
                "telescopes": Telescope.objects.count(),
            },
            has_demo=Telescope.objects.filter(is_demo=True).exists(),
        )
