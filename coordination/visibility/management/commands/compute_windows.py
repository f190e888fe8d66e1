"""`manage.py compute_windows`: find what is stale, queue it for the workers, and with --wait show how far they are."""

from argparse import ArgumentParser
from typing import Any

import psycopg
from celery import current_app
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from coordination.visibility import planning
from coordination.visibility.models import Computation

_SILENCE_S = 15.0  # without a chunk ended for so long, look whether there is a worker at all


class Command(BaseCommand):
    help = "Compute by the Celery workers the ephemerides and windows that are no longer true."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--wait", action="store_true", help="show progress until the workers are done")

    def handle(self, *args: Any, wait: bool, **options: Any) -> None:
        console = Console(stderr=True)
        if wait:
            self._listen()
        computation = planning.plan()
        if computation is None:
            console.print("Windows are up to date.")
        elif wait:
            self._show_progress(computation, console)
        else:
            console.print(f"Queued {planning.progress_of(computation).total} parts for the workers.")

    def _listen(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"LISTEN {planning.CHANNEL}")

    def _show_progress(self, computation: Computation, console: Console) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=console) as bar:
            task = bar.add_task("Computing windows", total=None)
            while True:
                progress = planning.progress_of(computation)
                bar.update(task, completed=progress.done, total=progress.total)
                computation.refresh_from_db()
                if computation.state != Computation.State.RUNNING:
                    break
                if not self._wait_for_a_chunk():
                    self._require_a_worker()
                    planning.sweep()
        if progress.failed:
            raise CommandError(f"{progress.failed} of {progress.total} parts failed; see Computations in the admin.")

    def _wait_for_a_chunk(self) -> bool:
        """Whether a worker told of an ended chunk before the silence was over."""
        raw: psycopg.Connection[Any] = connection.connection
        return any(True for _ in raw.notifies(timeout=_SILENCE_S, stop_after=1))

    def _require_a_worker(self) -> None:
        if not current_app.control.ping(timeout=3.0, limit=1):
            raise CommandError(
                "No Celery worker answers; the queued work waits for one: celery -A coordination.celery worker"
            )
