"""All near-Earth objects, from the Minor Planet Center."""

from functools import partial

from coordination.common.jobs import Run
from targets.models import Orbit
from targets.services.importing import import_file
from targets.sources.files import CatalogueFile
from targets.sources.records import TargetRecord

from . import asking, lists


def refresh(run: Run) -> None:
    """In one transaction: a run that is killed leaves the catalogue as it was. What is no longer listed stays."""
    listed = asking.catalogue()
    stored = Orbit.objects.filter(source=Orbit.Source.MPC, current_of__isnull=False)
    lists.accept(run, "mpc", listed, stored.count())
    result = import_file(CatalogueFile("mpc", [partial(_as_it_is, record) for record in listed.rows]))
    run.changed = result.created + result.updated
    for name, count in result.counts().items():
        run.count(name, count)
    for rejection in result.rejected:
        run.find(rejection.name, rejection.reason)


def _as_it_is(record: TargetRecord) -> TargetRecord:
    return record
