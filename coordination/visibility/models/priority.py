"""What counts how much when targets are ranked for a night."""

from functools import reduce
from operator import and_, or_
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from coordination.common.history import HistoricalRecords

from ..priority.scoring import MEASURES, PARTS, Weights

LARGEST_WEIGHT = 1000.0
_ALL = (*PARTS, *MEASURES)


def _weight(name: str, help_text: str = "") -> Any:
    default: float = getattr(Weights, name)
    limits = [MinValueValidator(0.0), MaxValueValidator(LARGEST_WEIGHT)]
    return models.FloatField(default=default, validators=limits, help_text=help_text)


class PriorityWeights(models.Model):
    """One row: weights of the parts among each other, and of the measures inside their part. Only ratios count.

    Where there is no row, the defaults of priority.scoring.Weights hold. docs/priority.md says what each measures.
    """

    importance = _weight("importance")
    need = _weight("need")
    urgency = _weight("urgency")
    cost = _weight("cost")
    size = _weight("size", "diameter, or what H lets expect")
    moid = _weight("moid", "distance of its orbit from the Earth's")
    impact = _weight("impact", "probability of an impact, Palermo and Torino scale, Scout's rating")
    confirmation = _weight("confirmation", "an unconfirmed object, by digest2 or Scout's score")
    uncertainty = _weight("uncertainty", "of the place on the sky")
    arc = _weight("arc", "how short the observed arc is")
    u = _weight("u", "the MPC's uncertainty parameter")
    unseen = _weight("unseen", "time since the last observation")
    last_chance = _weight("last_chance", "nights left until it is lost")
    fading = _weight("fading", "magnitudes a day")
    leaving_field = _weight("leaving_field", "nights left until 3-sigma no longer fit the field")
    closing = _weight("closing", "how fast its windows get shorter")
    exposure = _weight("exposure", "time needed from V against the limit, and pointings")
    rate = _weight("rate", "motion on the sky")
    length = _weight("length", "how short the windows are")
    altitude = _weight("altitude", "airmass where it is highest")
    history = HistoricalRecords()

    class Meta:
        verbose_name = verbose_name_plural = "priority weights"
        constraints = [
            models.CheckConstraint(name="priority_weights_one_row", condition=Q(id=1)),
            models.CheckConstraint(
                name="priority_weights_range",
                condition=reduce(and_, (Q(**{f"{name}__range": (0.0, LARGEST_WEIGHT)}) for name in _ALL)),
                violation_error_message=f"A weight is 0 to {LARGEST_WEIGHT:g}.",
            ),
            *(
                models.CheckConstraint(
                    name=f"priority_weights_{what}",
                    condition=reduce(or_, (Q(**{f"{name}__gt": 0.0}) for name in names)),
                    violation_error_message=f"One of the weights of {what} is greater than 0: {', '.join(names)}.",
                )
                for what, names in (("parts", tuple(PARTS)), *PARTS.items())
            ),
        ]

    def __str__(self) -> str:
        return "weights"

    @property
    def weights(self) -> Weights:
        return Weights(**{name: getattr(self, name) for name in _ALL})
