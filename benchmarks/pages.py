"""`dev.py bench pages`: time on the server, queries and bytes of each page, with what lies in this checkout's database.

For the demonstration network and the full catalogue: `dev.py run` once, then this. Nothing is written. Each page is
asked for several times in one process, the first time not counted; the median counts, of all time and of the processor.
"""

from __future__ import annotations

import argparse
import datetime as dt
import gzip
import os
import statistics
import sys
import time
from typing import Any
from urllib.parse import urlencode

from _common import finish, machine, show


def main() -> None:
    parser = argparse.ArgumentParser(prog="dev.py bench pages", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="requests of each page (default: %(default)s)")
    options = parser.parse_args()
    if "DATABASE_URL" not in os.environ:
        sys.exit("DATABASE_URL is not set: run it as python3 dev.py bench pages")
    os.environ |= {"DEBUG": "1", "ALLOWED_HOSTS": "testserver", "DJANGO_SETTINGS_MODULE": "coordination.settings"}
    os.environ.setdefault("SECRET_KEY", "only for this benchmark")
    import django

    django.setup()
    from django.db import transaction

    with transaction.atomic():  # to be able to sign in, without leaving a trace
        figures = {name: measure(address, options.rounds) for name, address in addresses().items()}
        transaction.set_rollback(True)
    print(f"Median of {options.rounds} requests; {machine()}\n")
    columns = ("ms", "cpu_ms", "queries", "html_bytes", "gzip_bytes")
    show(["page", *columns], [[name, *(f"{row[each]:,.0f}" for each in columns)] for name, row in figures.items()])
    finish("pages", figures)


def addresses() -> dict[str, str]:
    """A page of each kind: of the campaign that was made last, its target, and a telescope that can see it."""
    from coordination.campaigns.models import Campaign
    from coordination.common import clock
    from coordination.common.actors import ANONYMOUS
    from observatories.models import Telescope

    campaign = Campaign.objects.visible_to(ANONYMOUS).order_by("-pk").first()
    if campaign is None:
        sys.exit("There is no public campaign here: python3 dev.py run loads the demonstration network and makes one.")
    target, telescope = campaign.targets.visible_to(ANONYMOUS).first(), Telescope.objects.order_by("pk").first()
    assert target is not None
    assert telescope is not None
    return {
        "home": "/", "targets": "/targets/", "targets, all": "/targets/?all=1",
        "target": f"/targets/{target.designation}/",
        "unknown target": "/targets/Apophiss/", "campaigns": "/campaigns/", "campaign": f"/campaigns/{campaign.slug}/",
        "tonight": f"/admin/desk/tonight/{telescope.pk}/", "calendar": "/admin/desk/calendar/",
        "booking form": f"/admin/booking/booking/add/?telescope={telescope.pk}&target={target.pk}&{_tonight()}",
        "drawing of the form": f"/admin/desk/timeline/?telescope={telescope.pk}&{_tonight()}",
        "admin: targets": "/admin/targets/target/", "admin: bookings": "/admin/booking/booking/",
        "admin: slots": "/admin/booking/slot/", "horizon": f"/admin/desk/telescopes/{telescope.pk}/horizon/",
        "night plan": f"/dome/telescopes/{telescope.pk}/{clock.now():%Y-%m-%d}/",
        "observatories": "/observatories/", "telescope": f"/telescopes/{telescope.pk}/", "map as PNG": "/world/map.png",
    }  # fmt: skip


def _tonight() -> str:
    """An hour of the coming day, as the form is opened from Tonight."""
    from coordination.common import clock

    start = clock.now().replace(minute=0, second=0, microsecond=0) + dt.timedelta(hours=12)
    times = {"observe_from": start.isoformat(), "observe_until": (start + dt.timedelta(hours=1)).isoformat()}
    return urlencode(times)


def measure(address: str, rounds: int) -> dict[str, Any]:
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from observatories.models import User

    client = Client()
    if address.startswith(("/admin/", "/dome/")):
        person = User.objects.filter(is_superuser=True, is_active=True).first()
        if person is None:
            sys.exit("There is no administrator here: python3 dev.py manage createsuperuser")
        client.force_login(person)
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        client.get(address)
    queries = len(captured)  # now: the next request empties the log
    wall, processor = [], []
    for _ in range(rounds):
        started, busy = time.perf_counter(), time.process_time()
        answer = client.get(address)
        content = answer.content
        wall.append(1000 * (time.perf_counter() - started))
        processor.append(1000 * (time.process_time() - busy))
    if answer.status_code not in (200, 404):  # 404: the page of a target that is not there
        sys.exit(f"{address} answered {answer.status_code}")
    return {
        "ms": round(statistics.median(wall), 1),
        "cpu_ms": round(statistics.median(processor), 1),
        "queries": queries,
        "html_bytes": len(content),
        "gzip_bytes": len(gzip.compress(content)),
    }


if __name__ == "__main__":
    main()
