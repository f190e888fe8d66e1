"""Words of other rooms that pages show, in the reader's language: states, kinds, levels, edges, roles."""

from django.utils.translation import gettext

from coordination.booking.models import Booking, Claim, Slot
from coordination.booking.seats import SeatState
from coordination.campaigns.models import Campaign
from coordination.visibility.engine.edges import Edge
from coordination.visibility.quality import LEVELS, LISTED_MEANS
from observatories.models import Membership, Telescope
from targets.models import Ephemeris, Orbit


def said(word: object) -> str:
    """A state, a choice or another word of `labels`; others stay as they are."""
    text = str(word)
    return gettext(text) if text else ""


def edge_in_words(edge: Edge) -> str:
    return said(edge.label.replace("_", " "))


def labels() -> set[str]:
    """All that `said` is asked for; each has a translation."""
    states = (Campaign.State, SeatState, Claim.State, Telescope.State)
    return {
        *(value for each in states for value in each.values),
        *(
            str(label)
            for each in (Campaign.Kind, Campaign.Mode, Booking.State, Membership.Role)
            for label in each.labels
        ),
        *(str(label) for each in (Orbit.Source, Ephemeris.Source) for label in each.labels),
        *(str(label).lower() for label in Slot.State.labels),
        *(edge.label.replace("_", " ") for edge in Edge),
        *(level.label for level in LEVELS),
        "unusable",
        LISTED_MEANS,
    }
