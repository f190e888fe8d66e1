"""Let somebody sign in again whose name is locked after wrong passwords."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from observatories.services import unlock


class Command(BaseCommand):
    help = "Forget the wrong passwords given for a name, so that it is not locked any more."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, username: str, **options: Any) -> None:
        locks = unlock(username)
        self.stderr.write(f"{username} can sign in again." if locks else f"{username} was not locked.")
