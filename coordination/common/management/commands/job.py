"""`manage.py job [NAME] --once`: run scheduled work by hand."""

from argparse import ArgumentParser
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from coordination.common import jobs
from coordination.common.models import RunRecord
from coordination.common.providers.fetching import given_answers


class Command(BaseCommand):
    help = "Run a scheduled job now, once; without a name, list the jobs with their last runs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", nargs="?", metavar="NAME", choices=[job.name for job in jobs.registered()])
        parser.add_argument("--once", action="store_true", help="run it and end; there is no other way")
        parser.add_argument(
            "--answer",
            action="append",
            type=Path,
            default=[],
            metavar="FILE",
            help="what the provider answered elsewhere: it is read in its place, and nothing is sent; repeated where "
            "the job asks more than once, in the order of its questions",
        )

    def handle(self, *args: Any, name: str | None = None, answer: Sequence[Path] = (), **options: Any) -> None:
        console = Console(highlight=False)
        if name is None:
            if answer:
                raise CommandError("--answer: which job is to read it? Name one.", returncode=2)
            console.print(_listing())
            return
        with given_answers(_contents(answer)) if answer else nullcontext():
            record = jobs.run_job(name)
        if record is None:
            raise CommandError(f"{name} is being run by another process.", returncode=1)
        counts = ", ".join(f"{count} {what}" for what, count in record.counts.items())
        console.print(f"{name}: {record.state}; {counts}", soft_wrap=True)
        for found in record.findings[:20]:
            candidates = f" Candidates: {', '.join(found['candidates'])}." if "candidates" in found else ""
            console.print(f"  {escape(found['object'])}: {escape(found['why'] + candidates)}", soft_wrap=True)
        if record.message:
            console.print(escape(record.message), soft_wrap=True)
        if record.state == RunRecord.State.FAILED:
            raise CommandError(f"{name} failed: {record.message}", returncode=1)


def _contents(files: Sequence[Path]) -> list[bytes]:
    try:
        return [file.read_bytes() for file in files]
    except OSError as error:
        raise CommandError(f"{error.filename}: {error.strerror}", returncode=2) from error


def _listing() -> Table:
    table = Table("job", "last run", "state", "what it does", box=None)
    for job in jobs.registered():
        last = RunRecord.objects.filter(job=job.name).order_by("-started_at").first()
        when = f"{last.started_at:%Y-%m-%d %H:%M}Z" if last else "never"
        table.add_row(job.name, when, last.state if last else "", job.title)
    return table
