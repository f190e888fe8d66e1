"""Load the demonstration network."""

from typing import Any

from django.core.management.base import BaseCommand
from rich.console import Console

from observatories.services import load_demo


class Command(BaseCommand):
    help = (
        "Create real telescopes with their organisations, marked as demo, to try the service with. What is there "
        "already stays as it is. remove_demo deletes them."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        result = load_demo()
        Console(stderr=True, highlight=False).print(
            f"demonstration network: {result.telescopes} telescopes and {result.organisations} organisations created",
            soft_wrap=True,
        )
