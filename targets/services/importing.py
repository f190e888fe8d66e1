"""Taking over a file of orbits: merged by any known designation, every solution kept as a version."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from simple_history.utils import bulk_update_with_history

from coordination.common import events, runs
from coordination.common.problems import ConflictError
from targets.designations import key_of, kind_of, target_kind_of
from targets.models import Designation, Orbit, Target
from targets.sources.files import CatalogueFile, Rejection
from targets.sources.records import OrbitRecord, TargetRecord

from .ranking import Rank

_BATCH = 2000
_ORBIT_FIELDS = [name for name in OrbitRecord.__slots__ if name != "source"]


@dataclass
class ImportResult:
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: list[Rejection] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        return {
            "created": self.created,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "rejected": len(self.rejected),
        }


def import_file(file: CatalogueFile, *, progress: Callable[[int], None] = lambda rows: None) -> ImportResult:
    """Create and update targets from the rows of a file; in one transaction, so that nothing is half-written.

    A row that cannot be used is rejected with its reason, and the rest is taken. Each new solution becomes a version.
    It becomes the current one unless the one that is has the later last observation; where these are the same or not
    both known, more observations; then the later epoch. Between equals the newer import wins. A solution that is
    stored already changes nothing, nor does the same file again. `progress` is told the number of rows done.
    """
    with runs.recorded("import_targets") as record, transaction.atomic():
        _lock_imports()
        runs.close_killed(record)
        result = _Import().run(file, progress)
        record.counts = result.counts()
        if result.created or result.updated:
            events.record("catalogue.imported", f"run:{record.pk}", {"source": file.source, **result.counts()})
    return result


@dataclass(frozen=True)
class Taken:
    """What taking over one record changed."""

    target: Target
    is_new: bool
    has_new_orbit: bool  # a solution that was not stored
    orbit_changed: bool  # which is the current one now


def take_record(record: TargetRecord, *, actor: Any = None) -> Taken:
    """Create or update one target, as `import_file` does with each row. Raises ConflictError for a record that cannot
    be true beside what is there. What changed for its watchers is told by an event.
    """
    (taken,) = take_records([record], actor=actor)
    if isinstance(taken, ConflictError):
        raise taken
    return taken


class SeveralTargetsError(ConflictError):
    """A record whose designations belong to several targets: perhaps these are one object."""

    def __init__(self, detail: str, targets: Sequence[Target], **about: Any) -> None:
        super().__init__(detail, **about)
        self.targets = targets


def take_records(records: Sequence[TargetRecord], *, actor: Any = None) -> list[Taken | ConflictError]:
    """The same of several in one transaction and a few statements: for each what it changed, or why it was refused."""
    with transaction.atomic():
        _lock_imports()
        batch = _Import({key_of(text) for record in records for text in _texts(record)})
        batch.read_known()
        outcomes = [batch.take_one(record) for record in records]
        batch.write()
        told: list[tuple[str, Target, dict[str, Any]]] = []
        for taken in outcomes:
            if isinstance(taken, Taken) and taken.is_new:
                told.append(("target.added", taken.target, {"target": taken.target.pk}))
            if isinstance(taken, Taken) and taken.orbit_changed:
                orbit = batch.becomes_current[id(taken.target)]
                told.append(("orbit.updated", taken.target, {"target": taken.target.pk, "orbit": orbit.pk}))
        events.record_all(told, actor=actor)
        return outcomes


def _lock_imports() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('targets.import'))")


@dataclass
class _Known:
    """What the database has of a target, or will have at the end."""

    target: Target
    keys: set[str] = field(default_factory=set)
    fingerprints: set[str] = field(default_factory=set)
    rank: Rank | None = None  # of the current orbit
    is_new: bool = True


class _Import:
    """One import: everything is decided in memory, then written in a few statements.

    keys: by which the targets are known that it may be about; None: all.
    """

    def __init__(self, keys: Collection[str] | None = None) -> None:
        self.keys = keys
        self.known: dict[int, _Known] = {}
        self.by_key: dict[str, _Known] = {}
        self.created: list[Target] = []
        self.changed: dict[int, Target] = {}
        self.designations: list[Designation] = []
        self.orbits: list[Orbit] = []
        self.becomes_current: dict[int, Orbit] = {}  # by id() of the target, which may not have a pk yet

    def run(self, file: CatalogueFile, progress: Callable[[int], None]) -> ImportResult:
        self.read_known()
        result = ImportResult()
        for row, item in enumerate(file.parse(), start=1):
            if isinstance(item, Rejection):
                result.rejected.append(item)
            elif reason := self.contradiction(item):
                result.rejected.append(Rejection(row, item.designation, reason))
            else:
                self.take(item, result)
            if row % 500 == 0:
                progress(row)
        self.write()
        progress(len(file))
        return result

    def take_one(self, record: TargetRecord) -> Taken | ConflictError:
        """Take a record by itself, with what it changed; refused where it cannot be true beside what is there."""
        if reason := self.contradiction(record):
            told, about = f"{record.designation}: {reason}.", {"field": "designation", "value": record.designation}
            owners = [known.target for known in self.owners(record)]
            return SeveralTargetsError(told, owners, **about) if len(owners) > 1 else ConflictError(told, **about)
        result, orbits_before = ImportResult(), len(self.orbits)
        self.take(record, result)
        target = self.owners(record)[0].target
        has_new_orbit = len(self.orbits) > orbits_before
        is_current = has_new_orbit and self.becomes_current.get(id(target)) is self.orbits[-1]
        return Taken(target, bool(result.created), has_new_orbit, is_current)

    def read_known(self) -> None:
        targets, of_these = Target.objects.all(), Q()
        if self.keys is not None:
            owners = set(Designation.objects.filter(key__in=self.keys).values_list("target_id", flat=True))
            targets, of_these = Target.objects.filter(pk__in=owners), Q(target_id__in=owners)
        for target in self._rows(targets):
            self.known[target.pk] = _Known(target, is_new=False)
        designations = Designation.objects.filter(of_these).values_list("target_id", "key")
        for target_id, key in self._rows(designations):
            known = self.known[target_id]
            known.keys.add(key)
            self.by_key[key] = known
        orbits = Orbit.objects.filter(of_these).values_list("target_id", "fingerprint", "current_of", *Rank.columns())
        for target_id, fingerprint, current_of, *rank in self._rows(orbits):
            known = self.known[target_id]
            known.fingerprints.add(fingerprint)
            if current_of is not None:
                known.rank = Rank.of_columns(*rank)

    def _rows(self, rows: QuerySet[Any, Any]) -> Iterable[Any]:
        """All of the catalogue is read piece by piece; a few rows need no cursor in the database."""
        return rows.iterator(chunk_size=5000) if self.keys is None else rows

    def contradiction(self, record: TargetRecord) -> str:
        """Why the record cannot be taken beside what is there; empty where it can."""
        owners = self.owners(record)
        if len(owners) > 1:
            names = " and ".join(sorted(str(known.target) for known in owners))
            return f"its designations belong to different targets, {names}: merge these first"
        number = next((key for known in owners for key in known.keys if key.isdigit()), "")
        if record.number and number and number != record.number:
            return f"it has the number {record.number} here, and {number} in the catalogue"
        return ""

    def owners(self, record: TargetRecord) -> list[_Known]:
        owners = {id(known): known for text in _texts(record) if (known := self.by_key.get(key_of(text)))}
        return list(owners.values())

    def take(self, record: TargetRecord, result: ImportResult) -> None:
        owners = self.owners(record)
        known = owners[0] if owners else _Known(Target())
        if not owners:
            self.created.append(known.target)
        described = self._describe(known, record)
        named = self._name(known, record)
        has_new_orbit = record.orbit is not None and self._add_orbit(known, record.orbit)
        if not owners:
            result.created += 1
        elif described or named or has_new_orbit:
            result.updated += 1
        else:
            result.unchanged += 1

    def _describe(self, known: _Known, record: TargetRecord) -> bool:
        """Bring the target's own fields up to date; what the file does not say stays."""
        target = known.target
        says = {
            "designation": record.designation if known.is_new or record.number else "",
            "name": record.name,
            "orbit_class": record.orbit_class,
            "is_neo": record.is_neo,
            "is_pha": record.is_pha,
        }
        if record.orbit is None or record.orbit.source == "file":  # knows nothing of these, renames nothing
            del says["orbit_class"], says["is_neo"], says["is_pha"]
            says["name"] = target.name or record.name
        different = {name: value for name, value in says.items() if value != "" and getattr(target, name) != value}
        for name, value in different.items():
            setattr(target, name, value)
        if known.is_new:
            target.kind = target_kind_of(target.designation)
            if record.is_confidential or kind_of(target.designation) == "temporary":
                target.visibility = Target.Visibility.SIGNED_IN  # confirmation-page names are not for the public
        if different and not known.is_new:
            self.changed[target.pk] = target
        return bool(different)

    def _name(self, known: _Known, record: TargetRecord) -> bool:
        new = [(key_of(text), text) for text in _texts(record) if key_of(text) not in known.keys]
        for key, text in dict(new).items():
            known.keys.add(key)
            self.by_key[key] = known
            kind = Designation.Kind.NAME if text == record.name else kind_of(text)
            self.designations.append(Designation(target=known.target, text=text, key=key, kind=kind))
        return bool(new)

    def _add_orbit(self, known: _Known, record: OrbitRecord) -> bool:
        fingerprint = record.fingerprint()
        if fingerprint in known.fingerprints:
            return False
        known.fingerprints.add(fingerprint)
        values = {name: getattr(record, name) for name in _ORBIT_FIELDS}
        orbit = Orbit(target=known.target, source=record.source, fingerprint=fingerprint, **values)
        self.orbits.append(orbit)
        rank = Rank.of(record)
        if known.rank is None or known.rank.yields_to(rank):
            known.rank = rank
            self.becomes_current[id(known.target)] = orbit
        return True

    def write(self) -> None:
        Target.objects.bulk_create(self.created, batch_size=_BATCH)
        if self.changed:
            fields = ["designation", "name", "orbit_class", "is_neo", "is_pha"]
            bulk_update_with_history(
                list(self.changed.values()),
                Target,
                fields,
                batch_size=_BATCH,
                default_change_reason="import of a file of orbits",
            )
        rows: list[Designation | Orbit] = [*self.designations, *self.orbits]
        for row in rows:
            row.target_id = row.target.pk
        Designation.objects.bulk_create(self.designations, batch_size=_BATCH)
        Orbit.objects.bulk_create(self.orbits, batch_size=_BATCH)
        current = list(self.becomes_current.values())
        _set_current([orbit.target_id for orbit in current], [orbit.pk for orbit in current])
        if len(self.orbits) > _BATCH:
            # Without fresh statistics the checks of foreign keys at the commit may scan the new rows once for each.
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE targets_target, targets_designation, targets_orbit")


def _texts(record: TargetRecord) -> list[str]:
    return [text for text in (record.number, *record.provisional, record.name) if text and key_of(text)]


def _set_current(target_ids: Sequence[int], orbit_ids: Sequence[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE targets_target SET current_orbit_id = new.orbit_id "
            "FROM unnest(%s::bigint[], %s::bigint[]) AS new (target_id, orbit_id) WHERE id = new.target_id",
            [list(target_ids), list(orbit_ids)],
        )
