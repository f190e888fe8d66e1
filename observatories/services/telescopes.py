"""Telescopes: what observes at an observatory, within which limits."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import ProtectedError, RestrictedError

from coordination.common import events
from coordination.common.checking import apply_changes, check
from coordination.common.problems import ConflictError, DomainError, ForbiddenError

from ..models import Telescope, User
from ..people import Principal, may_manage

_GIVEN_BY_THE_DATABASE = {"id", "created_at", "is_demo"}
EDITABLE = tuple(
    name
    for field in Telescope._meta.concrete_fields
    for name in {field.name, field.attname}
    if name not in _GIVEN_BY_THE_DATABASE
)
# Whose it is, where it stands, and whether it is a demonstration: said by administrators, not by its managers.
OF_ADMINISTRATORS = ("observatory", "organisation", "is_demo")


@transaction.atomic
def add_telescope(
    *,
    observatory_id: int,
    organisation_id: int,
    name: str,
    is_demo: bool = False,
    actor: Principal | None = None,
    **figures: Any,
) -> Telescope:
    """`figures` are fields of Telescope: aperture_m, limiting_v_mag, altitude_min_deg …; what is left out has its
    default.
    """
    telescope = Telescope(observatory_id=observatory_id, organisation_id=organisation_id, name=name, is_demo=is_demo)
    apply_changes(telescope, figures, EDITABLE)
    check(telescope)
    telescope.save()
    events.record("telescope.added", telescope, {"observatory": observatory_id}, actor=actor)
    return telescope


@transaction.atomic
def update_telescope(telescope_id: int, *, actor: Principal | None = None, **changes: Any) -> Telescope:
    """By administrators, and but for `OF_ADMINISTRATORS` by the managers of the organisation that operates it."""
    telescope = lock_telescope(telescope_id)
    _require_may_change(actor, telescope, changes)
    changed = apply_changes(telescope, changes, (*EDITABLE, "is_demo"))
    if changed:
        check(telescope)
        telescope.save()
        events.record("telescope.updated", telescope, {"changed": changed}, actor=actor)
    return telescope


@transaction.atomic
def remove_telescope(telescope_id: int, *, actor: Principal | None = None) -> None:
    """Delete a telescope with its closures and visibility windows. Refused where bookings hang on it."""
    telescope = lock_telescope(telescope_id)
    events.record("telescope.removed", telescope, {"name": telescope.name}, actor=actor)
    try:
        telescope.delete()
    except (ProtectedError, RestrictedError) as error:
        raise ConflictError(
            f"{telescope.name} is in use and cannot be deleted; set its state to retired.", field="telescope"
        ) from error


def _require_may_change(actor: Principal | None, telescope: Telescope, names: Iterable[str]) -> None:
    """Raises ForbiddenError; None is the service itself."""
    if actor is None or (isinstance(actor, User) and actor.has_perm("observatories.change_telescope")):
        return
    if not may_manage(actor, telescope.organisation_id):
        raise ForbiddenError(f"Only managers of {telescope.organisation} may change {telescope.name}.")
    for name in names:
        if name.removesuffix("_id") in OF_ADMINISTRATORS:
            raise ForbiddenError(f"Only administrators may change {name} of a telescope.", field=name)


def lock_telescope(telescope_id: int) -> Telescope:
    """The row, locked until the end of the transaction. Everything that occupies a telescope's time takes this lock
    first.
    """
    telescope = Telescope.objects.select_for_update().filter(pk=telescope_id).first()
    if telescope is None:
        raise DomainError(f"There is no telescope {telescope_id}.", field="telescope", value=telescope_id)
    return telescope


def telescopes_for_windows(ids: Iterable[int]) -> list[Telescope]:
    """Telescopes in the order asked for, with their observatories, whose `place` is not None. Raises DomainError for an
    unknown one and for one without a fixed place.
    """
    wanted = list(ids)
    found = Telescope.objects.select_related("observatory").in_bulk(wanted)
    for telescope_id in wanted:
        telescope = found.get(telescope_id)
        if telescope is None:
            raise DomainError(f"There is no telescope {telescope_id}.", field="telescope", value=telescope_id)
        if telescope.observatory.place is None:
            raise DomainError(
                f"{telescope.name} has no fixed place ({telescope.observatory}): no windows can be computed.",
                field="telescope",
                value=telescope_id,
            )
    return [found[telescope_id] for telescope_id in wanted]


def operators_of(telescope_ids: Iterable[int]) -> dict[int, int]:
    """The operating organisation of each of the telescopes that are there."""
    return dict(Telescope.objects.filter(pk__in=set(telescope_ids)).values_list("pk", "organisation_id"))
