"""Objects that a list names and nobody here knows yet."""

from coordination.common import breaker
from coordination.common.jobs import Run
from coordination.common.problems import DomainError
from coordination.common.providers.errors import Ambiguous, Offline, SourceError
from targets.services.importing import take_record
from targets.services.joining import join_named
from targets.services.lookup import find
from targets.services.refreshing import named_by

from . import asking

MOST = 100  # in one run: the weekly catalogue brings the rest


def known_or_introduced(run: Run, designation: str) -> int | None:
    """The target of a designation in a provider's list; one that is not known is asked for and added with its orbit.
    None where that fails, which the run then says.
    """
    known = find(designation)
    if known is not None or run.more.get("introduced", 0) >= MOST:
        return known
    try:
        record = asking.sbdb_record(designation)
        if became := join_named({designation: record}):
            run.count("merged", len(became))
        taken = take_record(record)
    except (Offline, breaker.Paused) as error:
        run.find(designation, f"not known here, and {error}")
        return None
    except SourceError as error:
        run.find(designation, error, error.candidates if isinstance(error, Ambiguous) else ())
        return None
    except DomainError as error:
        run.find(designation, error, named_by(error))
        return None
    run.count("introduced", int(taken.is_new))
    return taken.target.pk
