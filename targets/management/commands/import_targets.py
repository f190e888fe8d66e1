"""`manage.py import_targets [FILE]`: take over a file of orbits."""

import csv
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from coordination.common import clock
from targets.services import import_file
from targets.sources.files import FileError, Rejection, read_file

SNAPSHOT = Path(__file__).resolve().parents[2] / "data" / "mpc_nea_extended_2026-02.json.gz"
_SHOWN = 20


class Command(BaseCommand):
    help = (
        "Create and update targets from a file: MPC extended JSON, lines of MPCORB.DAT or NEA.txt, "
        "answers of JPL's SBDB (one, or a JSON list of them), a list of the confirmation page (neocp.txt; only "
        "signed-in people see its objects), all of these plain or gzip; or a CSV of elements. Without a file the "
        "catalogue that is shipped: the Minor Planet Center's near-Earth objects of February 2026. Can be repeated."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, default=SNAPSHOT, metavar="FILE")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        console = Console(stderr=True, highlight=False)
        try:
            content = read_file(file)
        except FileError as error:
            raise CommandError(str(error), returncode=2) from error
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=console) as bar:
            task = bar.add_task("Importing targets", total=len(content))
            result = import_file(content, progress=lambda rows: bar.update(task, completed=rows))
        for rejection in result.rejected[:_SHOWN]:
            text = f"row {rejection.row}, {rejection.name}: {rejection.reason}"
            console.print(f"  [yellow]rejected[/] {escape(text)}", soft_wrap=True)
        if result.rejected:
            console.print(f"All {len(result.rejected)} rejected rows: {_write(result.rejected)}", soft_wrap=True)
        counts = ", ".join(f"{count} {name}" for name, count in result.counts().items())
        console.print(f"targets: {counts}", soft_wrap=True)
        if len(result.rejected) == len(content):
            raise CommandError(f"None of the {len(content)} rows of {file} could be used.", returncode=2)


def _write(rejections: list[Rejection]) -> Path:
    path = settings.NEO_STATE_DIR / "rejected" / f"targets-{clock.now():%Y%m%dT%H%M%S}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["row", "name", "reason"])
        writer.writerows([rejection.row, rejection.name, rejection.reason] for rejection in rejections)
    return path
