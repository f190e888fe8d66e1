"""Remove the demonstration campaigns and network."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from coordination.booking.services import remove_demonstration
from coordination.common.problems import DomainError


class Command(BaseCommand):
    help = "Delete the campaigns, telescopes and organisations that are marked as demo, and nothing else."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            result = remove_demonstration()
        except DomainError as error:
            raise CommandError(error.detail, returncode=2) from error
        Console(stderr=True, highlight=False).print(
            f"demonstration network: {result.telescopes} telescopes and {result.organisations} organisations removed",
            soft_wrap=True,
        )
