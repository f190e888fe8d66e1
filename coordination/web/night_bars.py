"""The Sun and the Moon of a night as plots over time draw them."""

from django.utils.translation import gettext as _

from coordination.visibility.almanac import Almanac

from . import times
from .plots.bars import Bar, Overlay, Row

_DUSKS = ("dusk1", "dusk2", "dusk3", "dusk4")


def twilight(sky: Almanac) -> list[Overlay]:
    """The darkening behind all rows: after sunset, and below each of the twilights."""
    spans = [(sky.span_of(below), class_) for below, class_ in zip(sky.sun, _DUSKS, strict=False)]
    return [Overlay(*span, class_) for span, class_ in spans if span is not None]


def moon_row(sky: Almanac) -> Row:
    bars = [Bar(*part, "moonlight", times.span(*part)) for part in sky.moon_up]
    return Row(_("Moon up, %(n)d %% lit") % {"n": sky.moon_percent}, _("Moon"), bars)
