"""Filters of this room's lists. What they name has to be there, and visible."""

from decimal import Decimal
from typing import Any

import django_filters
from django.db.models import QuerySet

from coordination.common.actors import actor_of
from coordination.common.body import LARGEST_ID
from coordination.common.problems import DomainError
from observatories.models import Telescope

from . import parts


def _whole(name: str, value: Decimal) -> int:
    if value != value.to_integral_value() or not 0 < value <= LARGEST_ID:
        raise DomainError(f"{value} is no identifier.", field=name, value=str(value), expected="a whole number")
    return int(value)


class RoomFilter(django_filters.FilterSet):
    """Ways to name rows; a subclass says by `paths` where they are, from its own model."""

    paths: dict[str, str] = {}

    def of_campaign(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        try:
            campaign = parts.campaign_called(value, self.request.user)
        except DomainError as error:  # the list is there; what it is asked for is not
            raise DomainError(error.detail, field=name, value=value) from error
        return queryset.filter(**{self.paths[name]: campaign.pk})

    def of_target(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return queryset.filter(**{self.paths[name]: parts.target_called(value, self.request.user).pk})

    def of_organisation(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        # By keys: a join would give a row as often as it has seats there.
        organisation = parts.organisation_called(value)
        named = queryset.model.objects.filter(**{self.paths[name]: organisation.pk})
        return queryset.filter(pk__in=named.values("pk"))

    def of_telescope(self, queryset: QuerySet[Any], name: str, value: Decimal) -> QuerySet[Any]:
        pk = _whole(name, value)
        if not Telescope.objects.filter(pk=pk).exists():
            raise DomainError(f"There is no telescope {pk}.", field=name, value=pk)
        named = queryset.model.objects.filter(**{self.paths[name]: pk})
        return queryset.filter(pk__in=named.values("pk"))

    def of_slot(self, queryset: QuerySet[Any], name: str, value: Decimal) -> QuerySet[Any]:
        from ..models import Slot

        pk = _whole(name, value)
        if not Slot.objects.visible_to(actor_of(self.request.user)).filter(pk=pk).exists():
            raise DomainError(f"There is no slot {pk}.", field=name, value=pk)
        return queryset.filter(**{self.paths[name]: pk})
