"""Enter a person, with a role at an organisation."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from coordination.common.problems import DomainError
from observatories.models import Membership
from observatories.services import add_person


class Command(BaseCommand):
    help = (
        "Give a person a role at an organisation and let them into the administration. Who is not known yet is "
        "entered; the password is shown once. Who is known keeps their own, and a role that they had there is replaced."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--organisation", required=True, metavar="SLUG", help="short name of the organisation")
        parser.add_argument("--role", choices=Membership.Role.values, default=Membership.Role.SCHEDULER.value)

    def handle(self, *args: Any, username: str, organisation: str, role: str, **options: Any) -> None:
        try:
            user, password = add_person(username, organisation, role=role)
        except DomainError as error:
            expected = f" Expected one of: {error.expected}." if error.expected else ""
            raise CommandError(f"{error.detail}{expected}", returncode=2) from error
        told = f", password [bold]{password}[/] (shown this once)" if password else ""
        Console(stderr=True, highlight=False).print(
            f"{role} of {organisation}: user [bold]{user.username}[/]{told}", soft_wrap=True
        )
