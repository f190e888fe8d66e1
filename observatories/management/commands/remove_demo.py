"""Remove the demonstration network."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from coordination.common.problems import DomainError
from observatories.services import remove_demo


class Command(BaseCommand):
    help = "Delete the telescopes and organisations that are marked as demo, and nothing else."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            result = remove_demo()
        except DomainError as error:
            raise CommandError(error.detail, returncode=2) from error
        Console(stderr=True, highlight=False).print(
            f"demonstration network: {result.telescopes} telescopes and {result.organisations} organisations removed",
            soft_wrap=True,
        )
