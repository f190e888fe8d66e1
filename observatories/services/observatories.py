"""Observatories: the import of MPC codes, and places entered by staff."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction
from django.db.models import ProtectedError, RestrictedError
from simple_history.utils import bulk_create_with_history, bulk_update_with_history

from coordination.common import events
from coordination.common.checking import apply_changes, check
from coordination.common.problems import ConflictError, DomainError

from ..models import Observatory, User
from ..sites.geodesy import Place
from ..sources.obscodes import ObservatoryCode
from ..time_zones import time_zone_of

COORDINATES = ("longitude_deg", "latitude_deg", "height_m")
_IMPORTED = ("name", "kind", *COORDINATES, "time_zone")
_EDITABLE = ("name", "mpc_code", "kind", *COORDINATES)


@dataclass(frozen=True)
class ImportResult:
    """How many codes did what. `kept` were left as staff entered them."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    kept: int = 0


@transaction.atomic
def import_observatories(codes: Iterable[ObservatoryCode], *, actor: User | None = None) -> ImportResult:
    """Create and update observatories from MPC codes. What staff entered themselves is left alone."""
    by_code = {code.code: code for code in codes}
    stored = {
        observatory.mpc_code: observatory
        for observatory in Observatory.objects.select_for_update().filter(mpc_code__in=by_code).order_by("pk")
    }
    new, changed, kept = [], [], 0
    for code in by_code.values():
        observatory = stored.get(code.code)
        if observatory is None:
            observatory = Observatory(mpc_code=code.code, coordinate_source=Observatory.CoordinateSource.MPC)
            _take_over(observatory, code)
            new.append(observatory)
        elif observatory.coordinate_source == Observatory.CoordinateSource.STAFF:
            kept += 1
        elif _take_over(observatory, code):
            changed.append(observatory)
    bulk_create_with_history(new, Observatory, batch_size=1000, default_user=actor)
    bulk_update_with_history(changed, Observatory, list(_IMPORTED), batch_size=1000, default_user=actor)
    result = ImportResult(len(new), len(changed), len(by_code) - len(new) - len(changed) - kept, kept)
    if new or changed:
        events.record("observatories.imported", "observatories", asdict(result), actor=actor)
    return result


def _take_over(observatory: Observatory, code: ObservatoryCode) -> bool:
    """Bring a row to what the code list says; whether anything changed. Only a new place costs a look at time zones."""
    place = code.place
    position = (None, None, None) if place is None else _rounded(place)
    kind = Observatory.Kind.UNFIXED if place is None else Observatory.Kind.FIXED
    said = (code.name, kind, *position)
    held = tuple(getattr(observatory, name) for name in ("name", "kind", *COORDINATES))
    if said == held:
        return False
    if place is None:
        observatory.time_zone = ""
    elif position != held[2:]:
        observatory.time_zone = time_zone_of(place)
    for name, value in zip(("name", "kind", *COORDINATES), said, strict=True):
        setattr(observatory, name, value)
    return True


def _rounded(place: Place) -> tuple[float, float, float]:
    """Coordinates to a centimetre, as readable numbers: the parallax constants are good to some metres."""
    return round(place.lon_east_deg, 7), round(place.lat_deg, 7), round(place.height_m, 2)


@transaction.atomic
def create_observatory(
    *,
    name: str,
    longitude_deg: float | None = None,
    latitude_deg: float | None = None,
    height_m: float | None = None,
    mpc_code: str | None = None,
    kind: str = Observatory.Kind.FIXED,
    actor: User | None = None,
) -> Observatory:
    """A place entered by staff, with or without an MPC code."""
    observatory = Observatory(
        name=name,
        longitude_deg=longitude_deg,
        latitude_deg=latitude_deg,
        height_m=height_m,
        mpc_code=_clean_code(mpc_code),
        kind=kind,
        coordinate_source=Observatory.CoordinateSource.STAFF,
    )
    _check_and_place(observatory)
    observatory.save()
    events.record("observatory.added", observatory, {"mpc_code": observatory.mpc_code}, actor=actor)
    return observatory


@transaction.atomic
def update_observatory(observatory_id: int, *, actor: User | None = None, **changes: Any) -> Observatory:
    """Change fields. Once staff have changed the kind or a coordinate, imports leave the row alone."""
    observatory = Observatory.objects.select_for_update().filter(pk=observatory_id).first()
    if observatory is None:
        raise DomainError(f"There is no observatory {observatory_id}.", field="observatory", value=observatory_id)
    if "mpc_code" in changes:
        changes["mpc_code"] = _clean_code(changes["mpc_code"])
    changed = apply_changes(observatory, changes, _EDITABLE)
    if not changed:
        return observatory
    if {"kind", *COORDINATES} & set(changed):
        observatory.coordinate_source = Observatory.CoordinateSource.STAFF
    _check_and_place(observatory)
    observatory.save()
    events.record("observatory.updated", observatory, {"changed": changed}, actor=actor)
    return observatory


@transaction.atomic
def remove_observatory(observatory_id: int, *, actor: User | None = None) -> None:
    """Delete a place without telescopes. (One with an MPC code comes back with the next import.)"""
    observatory = Observatory.objects.select_for_update().filter(pk=observatory_id).first()
    if observatory is None:
        raise DomainError(f"There is no observatory {observatory_id}.", field="observatory", value=observatory_id)
    events.record("observatory.removed", observatory, {"name": observatory.name}, actor=actor)
    try:
        observatory.delete()
    except (ProtectedError, RestrictedError) as error:
        raise ConflictError(f"{observatory} has telescopes and cannot be deleted.", field="observatory") from error


def _check_and_place(observatory: Observatory) -> None:
    check(observatory)
    place: Place | None = observatory.place
    observatory.time_zone = time_zone_of(place) if place else ""


def _clean_code(code: str | None) -> str | None:
    return code.strip().upper() or None if code else None
