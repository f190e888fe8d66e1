"""Scheduled work of observatories: the codes of the MPC, and the rotation of the Earth."""

from coordination.common import breaker, jobs
from coordination.common.jobs import Run
from coordination.common.providers.errors import Nonsense, Wrong
from coordination.common.providers.fetching import fetch
from coordination.common.providers.transport import ask
from observatories.services import import_observatories, store_earth_orientation
from observatories.sites.earth_orientation import EarthOrientationError
from observatories.sources.obscodes.client import fetch_codes


def register() -> None:
    jobs.register("refresh_observatories", "observatory codes, from the MPC", refresh_observatories, "obscodes")
    jobs.register(
        "refresh_earth_orientation", "the rotation of the Earth, from the IERS", refresh_earth_orientation, "iers"
    )


def refresh_observatories(run: Run) -> None:
    """What staff entered themselves is left alone. A code that the list lost stays: bookings may stand on it."""
    with breaker.about("observatory codes"):
        codes, rejected = fetch_codes().value
    run.fetched = len(codes)
    for code in rejected:
        breaker.quarantine("obscodes", code.code, code.reason)
        run.find(code.code, code.reason)
    result = import_observatories(codes)
    run.changed = result.created + result.updated
    run.count("created", result.created)
    run.count("kept", result.kept)


def refresh_earth_orientation(run: Run) -> None:
    with breaker.about("finals2000A.all"):
        content = fetch("iers", lambda: ask("iers"), bytes).value
    run.fetched = 1
    try:
        run.changed = int(store_earth_orientation(content))
    except EarthOrientationError as error:
        breaker.quarantine("iers", "finals2000A.all", str(error), content[:2000])
        raise Nonsense("iers", str(error), Wrong.FIELD) from error
