"""`dev.py bench refresh`: orbits of 2,000 tracked targets from the simulated providers, and their windows at 20 sites.

Three days: on the first every orbit is new, on the second a tenth of the solutions have changed, on the third none.
`jobs.run_job("refresh_orbits")` and the windows of 14 nights by `planning.plan` and two fresh worker processes, as
Celery runs them but for the broker. In a database of its own on this server, which is made, migrated and dropped again;
the simulator is a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from _common import ROOT, finish, machine, show
from _workers import Workers

NIGHTS, SITES, CHANGED_EVERY, DAY_S = 14, 20, 10, 86_400.0


def main() -> None:
    parser = argparse.ArgumentParser(prog="dev.py bench refresh", description=__doc__)
    parser.add_argument("--targets", type=int, default=2000)
    options = parser.parse_args()
    if "DATABASE_URL" not in os.environ:
        sys.exit("DATABASE_URL is not set: run it as python3 dev.py bench refresh")
    server = os.environ["DATABASE_URL"]
    name = f"bench_refresh_{os.getpid()}"
    command = [sys.executable, "-m", "tests.providers.simulator", "--bodies", str(options.targets)]
    simulator = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert simulator.stdout is not None
    urls = simulator.stdout.readline().strip().removeprefix("PROVIDER_URLS=")
    clock = Path(os.environ.get("NEO_STATE_DIR", ".")) / f"{name}.clock"
    clock.write_text("0")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    try:
        os.environ |= {
            # Readers are woken as in service, but nobody listens: not those of a service that runs from this checkout.
            "REDIS_URL": f"{os.environ['REDIS_URL'].rpartition('/')[0]}/15",
            "DEBUG": "0",
            "DJANGO_SETTINGS_MODULE": "coordination.settings",
            "DATABASE_URL": urlunsplit(urlsplit(server)._replace(path=f"/{name}")),
            "PROVIDER_URLS": urls,
            "PROVIDERS_OFFLINE": "",
            "PROVIDER_PAUSE_S": "0",
            "PLANNING_HORIZON_NIGHTS": str(NIGHTS),
            "CLOCK_OFFSET_FILE": str(clock),
        }
        os.environ.setdefault("SECRET_KEY", "only for this benchmark")
        figures = measure(options.targets, urls, clock)
    finally:
        simulator.terminate()
        clock.unlink()
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    rows = [[key, value if isinstance(value, int) else f"{value:.3g}"] for key, value in figures.items()]
    print(f"{options.targets} targets x {SITES} sites x {NIGHTS} nights, 2 worker processes; {machine()}\n")
    show(["", "figure"], rows)
    finish("refresh", figures)


def measure(targets: int, urls: str, clock: Path) -> dict[str, Any]:
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    make_world(targets)
    simulator = urls.partition("=")[2].partition(",")[0].rpartition("/")[0]
    figures: dict[str, Any] = {}
    for number, day in enumerate(("all_new", "tenth_changed", "none_changed")):
        clock.write_text(repr(number * DAY_S))
        changed = range(0, targets, CHANGED_EVERY) if day == "tenth_changed" else ()
        change_solutions(simulator, changed)
        figures |= {f"{day}_{key}": value for key, value in one_day(simulator).items()}
        needed = {"all_new": targets, "tenth_changed": len(changed) + 1, "none_changed": 1}[day]
        figures[f"{day}_calls_needed"] = needed
        figures[f"{day}_calls_ratio"] = figures[f"{day}_calls"] / needed
    return figures


def make_world(count: int) -> None:
    """Targets that are tracked by hand, with no orbit yet, and telescopes around the world."""
    from observatories.models import Observatory, Organisation, Telescope
    from targets.designations import key_of
    from targets.models import Designation, Target
    from tests.providers.state import State

    names = [des for des in State.with_bodies(count).bodies if des.startswith("2030 D")]
    made = Target.objects.bulk_create([Target(designation=des, is_marked=True) for des in names])
    Designation.objects.bulk_create(
        [Designation(target=each, text=each.designation, key=key_of(each.designation), kind="provisional")
         for each in made]
    )  # fmt: skip
    organisation = Organisation.objects.create(name="Network", slug="network")
    for k in range(SITES):
        place = Observatory.objects.create(
            name=f"Place {k}", longitude_deg=18.0 * k - 180.0, latitude_deg=4.0 * k - 40.0, height_m=2000.0
        )
        Telescope.objects.create(
            observatory=place, organisation=organisation, name="1 m", aperture_m=1.0, field_width_deg=0.5,
            field_height_deg=0.5, limiting_v_mag=21.0,
        )  # fmt: skip


def ask(simulator: str, path: str, content: Any = None) -> Any:
    body = None if content is None else json.dumps(content).encode()
    with urllib.request.urlopen(urllib.request.Request(simulator + path, data=body)) as answer:
        return json.loads(answer.read())


def change_solutions(simulator: str, numbers: Any) -> None:
    from tests.providers.state import State

    names = [des for des in State.with_bodies(max(numbers, default=0) + 1).bodies if des.startswith("2030 D")]
    changes: dict[str, Any] = {}
    for k in numbers:
        solution = {"solution_id": "13", "solved_at": "2026-11-24 08:15:30", "peri_deg": (k * 91) % 360 + 0.2501}
        changes |= {f"bodies.{names[k]}.{field}": value for field, value in solution.items()}
    if changes:
        ask(simulator, "/_state", changes)


def one_day(simulator: str) -> dict[str, Any]:
    from django.db import connection

    from coordination.common import jobs
    from coordination.visibility import planning
    from coordination.visibility.models import Chunk, VisibilityWindow
    from observatories.sites.earth_orientation import EarthOrientation

    EarthOrientation.from_astropy()  # as a worker has read it when it starts
    before, start, processor = ask(simulator, "/_calls"), time.perf_counter(), time.process_time()
    record = jobs.run_job("refresh_orbits")
    assert record is not None
    if record.state != "succeeded":
        sys.exit(f"refresh_orbits {record.state}: {record.message}")
    refreshed, refreshed_cpu = time.perf_counter() - start, time.process_time() - processor
    calls = sum(ask(simulator, "/_calls").values()) - sum(before.values())
    computation = planning.plan()
    chunk_ids = list(computation.chunks.values_list("pk", flat=True)) if computation else []
    connection.close()
    planned = time.perf_counter() - start - refreshed
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    if chunk_ids:
        workers = Workers(2)
        starting = workers.wait_until_ready()
        begun = time.perf_counter()
        workers.run(chunk_ids)
        workers.stop()
        computed = time.perf_counter() - begun
    else:
        starting = computed = 0.0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert not Chunk.objects.exclude(state="done").exists()
    return {
        "refresh_s": refreshed,
        "refresh_processor_s": refreshed_cpu,
        "plan_s": planned,
        "workers_ready_s": starting,
        "windows_s": computed,
        "workers_processor_s": after.ru_utime + after.ru_stime - children.ru_utime - children.ru_stime,
        "total_s": refreshed + planned + computed,
        "calls": calls,
        "orbits_changed": record.counts["changed"],
        "windows": VisibilityWindow.objects.count(),
    }


if __name__ == "__main__":
    main()
