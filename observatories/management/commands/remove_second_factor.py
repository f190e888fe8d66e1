"""Switch off the second factor of somebody who lost the telephone and the recovery codes."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from coordination.common.problems import DomainError
from observatories.models import User
from observatories.services import remove_second_factor


class Command(BaseCommand):
    help = "Switch off the second factor of a person, who then signs in with the password alone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, username: str, **options: Any) -> None:
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is nobody called {username!r}.", returncode=2)
        try:
            remove_second_factor(user.pk)
        except DomainError as error:
            raise CommandError(error.detail, returncode=2) from error
        self.stderr.write(f"{username} signs in with the password alone from now on.")
