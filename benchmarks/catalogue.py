"""`dev.py bench catalogue`: the whole catalogue x 50 sites x 30 nights, from the file to the answer of the API.

In a database of its own on the same server, which is made, migrated and dropped again. The work is planned by
`visibility.planning.plan` and done by `planning.run_chunk` in worker processes, one transaction a chunk, as the Celery
task does it; only the broker is left out. Then once more with every second target, so that growth shows.
"""

from __future__ import annotations

import argparse
import gzip
import json
import logging
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import _memory
import psycopg
from _common import SNAPSHOT, finish, machine, seconds, show
from _workers import Workers

NIGHTS, V_LIMIT_MAG = 30, 21.5
COMPUTING = ("first decision", "propagate", "blocks", "search", "describe")  # stages without the database
GROWING = ("compute_s", "compute_processor_s", "compute_and_store_s")
# Real observatories, spread over the Earth.
CODES = """
    G96 703 N42 W84 X05 W68 809 844 309 I11 G37 O44 644 568 F51 Y28 C42 711 754 188 J04 950 493 511 010
    033 046 204 461 557 587 106 L01 071 095 119 J43 K91 099 078 A84 D29 300 381 327 220 413 N86 474 323
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="dev.py bench catalogue", description=__doc__)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--shares", default="2,1", help="2: every second target, 1: all (default: %(default)s)")
    options = parser.parse_args()
    if "DATABASE_URL" not in os.environ:
        sys.exit("DATABASE_URL is not set: run it as python3 dev.py bench catalogue")
    # Nothing of this may reach the broker of a service that runs from this checkout.
    redis_url = f"{os.environ['REDIS_URL'].rpartition('/')[0]}/15"
    os.environ |= {"REDIS_URL": redis_url, "DEBUG": "0", "PLANNING_HORIZON_NIGHTS": str(NIGHTS - 1)}
    os.environ.setdefault("SECRET_KEY", "only for this benchmark")
    server, results = os.environ["DATABASE_URL"], {}
    for share in map(int, options.shares.split(",")):
        results[share] = _in_own_process(server, share, options.processes)
    sites = len(CODES.split())
    print(f"{sites} sites x {NIGHTS} nights, V to {V_LIMIT_MAG}, {options.processes} processes; {machine()}\n")
    print("Stages: per process. processor_s leaves out waiting for the database, and for others on this machine.\n")
    names = list(next(iter(results.values())))
    both = 1 in results and 2 in results
    rows = [
        [name, *(found[name] for found in results.values()), _growth(results, name) if both else ""] for name in names
    ]
    show(["", *map(_title, results), "growth" if both else ""], rows)
    measured: dict[str, Any] = {_title(share): found for share, found in results.items()}
    if both:
        measured["growth"] = {name: results[1][name] / results[2][name] for name in GROWING}
    finish("catalogue", measured)


def _title(share: int) -> str:
    return {1: "all", 2: "half"}.get(share, f"1/{share}")


def _growth(results: dict[int, dict[str, Any]], name: str) -> str:
    whole, half = results[1][name], results[2][name]
    return f"{whole / half:.2f}x" if half else ""


def _in_own_process(server: str, share: int, processes: int) -> dict[str, Any]:
    """Django is configured for one database a process, and a second run must not find a warm one."""
    place = urlsplit(server)
    name = f"bench_catalogue_{os.getpid()}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    try:
        os.environ["DATABASE_URL"] = urlunsplit(place._replace(path=f"/{name}"))
        with tempfile.TemporaryDirectory() as folder:
            answer = Path(folder) / "figures.json"
            if (pid := os.fork()) == 0:
                _run_and_exit(share, processes, answer)
            if os.waitpid(pid, 0)[1]:
                sys.exit("the benchmark failed; see above")
            return json.loads(answer.read_text())
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _run_and_exit(share: int, processes: int, answer: Path) -> None:
    try:
        answer.write_text(json.dumps(measure(share, processes)))
    except BaseException:
        import traceback

        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def measure(share: int, processes: int) -> dict[str, Any]:
    """All figures with every `share`-th target: seconds, counts and MB."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "coordination.settings"
    import django

    django.setup()
    # Who follows events is woken through the broker, which is not there: each commit would tell so at length.
    logging.getLogger("django.db.backends.base").setLevel(logging.CRITICAL)
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    figures: dict[str, Any] = import_catalogue(share)
    add_telescopes()

    workers = Workers(processes)
    memory = _memory.Watch([os.getpid(), *workers.pids], _memory.server_of_database())
    figures["worker_start_s"] = workers.wait_until_ready()
    start = time.perf_counter()
    chunk_ids = plan()
    figures["plan_s"] = time.perf_counter() - start
    stages = workers.run(chunk_ids)
    figures["compute_and_store_s"] = time.perf_counter() - start
    figures |= {f"stage, {stage}": took / processes for stage, took in sorted(stages.items())}
    for clock in ("_s", "_processor_s"):
        figures[f"compute{clock}"] = sum(stages[stage + clock] for stage in COMPUTING) / processes
    workers.stop()
    figures |= memory.stop()

    figures |= counts()
    from django.db import connection

    figures["analyze_s"] = seconds(lambda: connection.cursor().execute("ANALYZE"))[0]
    figures |= query_times()
    figures |= one_orbit_changed()
    figures |= rolled_by_a_night(processes)
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in figures.items()}


def import_catalogue(share: int) -> dict[str, Any]:
    from targets.services import import_file
    from targets.sources.files import read_file

    with tempfile.TemporaryDirectory() as folder:
        path = SNAPSHOT
        if share > 1:
            path = Path(folder) / "part.json"
            path.write_text(json.dumps(json.loads(gzip.decompress(SNAPSHOT.read_bytes()))[::share]))
        took, result = seconds(lambda: import_file(read_file(path)))
    return {"targets": result.created, "import_s": took}


def add_telescopes() -> None:
    """One telescope at each of the sites, all with the same limits."""
    from observatories.models import Observatory, Organisation
    from observatories.services import add_telescope, import_observatories
    from observatories.sources.obscodes import find_code

    codes = [find_code(code) for code in CODES.split()]
    import_observatories(codes)
    organisation = Organisation.objects.create(name="Benchmark", slug="benchmark")
    for observatory in Observatory.objects.order_by("mpc_code"):
        add_telescope(
            observatory_id=observatory.pk,
            organisation_id=organisation.pk,
            name="1-m",
            aperture_m=1.0,
            field_width_deg=0.5,
            field_height_deg=0.5,
            limiting_v_mag=V_LIMIT_MAG,
        )


def plan() -> list[int]:
    """The chunks that the service would queue for its workers."""
    from coordination.visibility import planning, tasks

    queued: list[int] = []
    tasks.compute_chunk.delay_on_commit = queued.append  # the workers of this benchmark take them instead
    planning.plan()
    return queued


def counts() -> dict[str, Any]:
    from django.db import connection

    from coordination.visibility.models import Chunk, VisibilityWindow
    from targets.models import Ephemeris

    failed = Chunk.objects.exclude(state=Chunk.State.DONE)
    if failed.exists():
        raise RuntimeError(f"chunks failed: {failed.first().error}")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        size = cursor.fetchone()[0]
    return {
        "ephemerides with blocks": Ephemeris.objects.filter(blocks__isnull=False).count(),
        "windows": VisibilityWindow.objects.count(),
        "database_mb": round(size / 1e6),
    }


def query_times() -> dict[str, float]:
    """Pages of the API in milliseconds, the best of five: from the request to the rendered JSON."""
    from django.db.models import Count
    from django.test import Client

    from coordination.common import clock
    from coordination.visibility.models import VisibilityWindow

    busiest = VisibilityWindow.objects.values("target__designation").annotate(n=Count("id")).order_by("-n").first()
    telescope = VisibilityWindow.objects.values_list("telescope_id", flat=True).first()
    tomorrow = clock.now().date().toordinal() + 1
    night = [f"{type(clock.now()).fromordinal(tomorrow + k):%Y-%m-%d}T12:00:00Z" for k in (0, 1)]
    pages = {
        "one target": f"target={busiest['target__designation']}&limit=100",
        "one telescope and night": f"telescope={telescope}&after={night[0]}&before={night[1]}&limit=100",
        "filtered": "v_max=19&min_duration_s=7200&orbit_trust=fair&limit=100",
        "filtered, longest first": "v_max=19&min_duration_s=7200&order_by=-duration_s&limit=100",
        "no filter": "limit=100",
    }
    client, times = Client(), {}
    for name, query in pages.items():
        took, answer = seconds(
            lambda query=query: client.get(f"/api/v1/windows/?{query}", secure=True, headers={"host": "localhost"}), 5
        )
        assert answer.status_code == 200, answer.content[:500]
        times[f"page, {name}_ms"] = took * 1e3
    return times


def one_orbit_changed() -> dict[str, float]:
    """The windows of one target at all telescopes, computed anew from its elements and replaced, in this process."""
    from django.db import transaction

    from coordination.visibility import computing, planning
    from coordination.visibility.models import VisibilityWindow
    from targets.models import Ephemeris

    telescopes = [telescope.pk for telescope in computing.plannable_telescopes()]
    target = VisibilityWindow.objects.values_list("target_id", flat=True).first()
    span = planning.stored_span()

    def replace() -> int:
        with transaction.atomic():
            Ephemeris.objects.filter(target=target).delete()
            return computing.replace_windows([target], telescopes, span)

    first, _ = seconds(replace)
    return {"one orbit changed, first_s": first, "one orbit changed_s": seconds(replace, 3)[0]}


def rolled_by_a_night(processes: int) -> dict[str, float]:
    """What the midnight run costs: the span moves on by a day, from planning to the last commit."""
    from django.test import override_settings

    from coordination.visibility.models import Chunk

    workers = Workers(processes)
    workers.wait_until_ready()
    start = time.perf_counter()
    with override_settings(CLOCK_OFFSET_SECONDS=86400.0):
        chunk_ids = plan()
    stages = workers.run(chunk_ids)
    took = time.perf_counter() - start
    workers.stop()
    counts()  # none failed
    extended = Chunk.objects.filter(pk__in=chunk_ids, extended_from__isnull=False).count()
    if extended < len(chunk_ids):
        raise RuntimeError(f"{len(chunk_ids) - extended} of {len(chunk_ids)} chunks were computed anew")
    processor = sum(stages[stage + "_processor_s"] for stage in COMPUTING) / processes
    return {"roll_one_night_s": took, "roll_one_night, compute_processor_s": processor}


if __name__ == "__main__":
    main()
