"""The demonstration network of demo_network.toml: real telescopes, marked as demo, there to try the service with."""

import tomllib
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Model, ProtectedError, QuerySet, RestrictedError

from coordination.common import events
from coordination.common.checking import check
from coordination.common.problems import ConflictError

from ..models import Closure, Membership, Observatory, Organisation, Telescope, User
from ..sources import obscodes
from .observatories import import_observatories
from .telescopes import add_telescope

NETWORK = Path(__file__).with_name("demo_network.toml")


@dataclass(frozen=True)
class DemoResult:
    """Rows created or removed."""

    organisations: int
    telescopes: int


@transaction.atomic
def load_demo(*, actor: User | None = None) -> DemoResult:
    """Create what is missing of the demonstration network. What is there stays as it is: staff may have changed it.

    The observatories it stands on are imported where they are missing; as they are real places, they are not marked.
    """
    network = tomllib.loads(NETWORK.read_text(encoding="utf-8"))
    observatory_ids = _observatory_ids({entry["code"] for entry in network["telescopes"]}, actor)
    organisation_ids = dict(Organisation.objects.values_list("slug", "pk"))
    created_organisations = 0
    for entry in network["organisations"]:
        if entry["slug"] not in organisation_ids:
            organisation = Organisation(**entry, is_demo=True)
            check(organisation)
            organisation.save()
            organisation_ids[organisation.slug] = organisation.pk
            created_organisations += 1
    present = set(Telescope.objects.values_list("observatory_id", "name"))
    created_telescopes = 0
    for entry in network["telescopes"]:
        observatory_id = observatory_ids[entry["code"]]
        if (observatory_id, entry["name"]) not in present:
            add_telescope(
                observatory_id=observatory_id,
                organisation_id=organisation_ids[entry["organisation"]],
                name=entry["name"],
                is_demo=True,
                actor=actor,
                **_figures(entry, network["common_note"]),
            )
            created_telescopes += 1
    result = DemoResult(created_organisations, created_telescopes)
    if result != DemoResult(0, 0):
        events.record("demo.loaded", "demo", asdict(result), actor=actor)
    return result


def _observatory_ids(codes: set[str], actor: User | None) -> dict[str, int]:
    present = Observatory.objects.filter(mpc_code__in=codes)
    missing = codes - set(present.values_list("mpc_code", flat=True))
    if missing:
        import_observatories([obscodes.find_code(code) for code in sorted(missing)], actor=actor)
    return {code: pk for code, pk in present.all().values_list("mpc_code", "pk") if code}


def _figures(entry: dict[str, Any], common_note: str) -> dict[str, Any]:
    """The fields of Telescope that an entry of the file gives."""
    figures = {key: value for key, value in entry.items() if key not in ("code", "name", "organisation")}
    figures["field_width_deg"], figures["field_height_deg"] = figures.pop("field_deg")
    if "hour_angle_h" in figures:
        figures["hour_angle_min_h"], figures["hour_angle_max_h"] = figures.pop("hour_angle_h")
    figures["figures_note"] = f"{figures.pop('note')} {common_note}"
    return figures


@transaction.atomic
def remove_demo(*, actor: User | None = None) -> DemoResult:
    """Delete the demo telescopes, with their visibility windows, and the demo organisations, and nothing else.

    Refused with ConflictError while rows that are not demo hang on them.
    """
    organisations = Organisation.objects.select_for_update().filter(is_demo=True).order_by("pk")
    telescopes = Telescope.objects.select_for_update().filter(is_demo=True).order_by("pk")
    result = DemoResult(len(organisations), len(telescopes))
    _refuse_if_used(
        Telescope.objects.filter(organisation__is_demo=True, is_demo=False),
        Closure.objects.filter(telescope__is_demo=True),
        Membership.objects.filter(organisation__is_demo=True),
    )
    try:
        Telescope.objects.filter(pk__in=[telescope.pk for telescope in telescopes]).delete()
        Organisation.objects.filter(pk__in=[organisation.pk for organisation in organisations]).delete()
    except (ProtectedError, RestrictedError) as error:
        protecting = error.protected_objects if isinstance(error, ProtectedError) else error.restricted_objects
        raise _in_use(list(protecting)) from error
    if result != DemoResult(0, 0):
        events.record("demo.removed", "demo", asdict(result), actor=actor)
    return result


def _refuse_if_used(*users: QuerySet[Any]) -> None:
    rows = [row for queryset in users for row in queryset[:100]]
    if rows:
        raise _in_use(rows)


def _in_use(rows: Sequence[Model]) -> ConflictError:
    counts = Counter(str(row._meta.verbose_name) for row in rows)
    what = ", ".join(f"{count} {name}{'s' if count > 1 else ''}" for name, count in sorted(counts.items()))
    examples = "; ".join(str(row) for row in rows[:3])
    return ConflictError(
        f"The demonstration data is in use: {what} that {'are' if len(rows) > 1 else 'is'} not demo "
        f"({examples}). Delete or move {'them' if len(rows) > 1 else 'it'} first.",
    )
