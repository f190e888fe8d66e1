"""Make a token for a partner's system; it is printed once, on standard output."""

import datetime as dt
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from coordination.common import clock
from coordination.common.problems import DomainError
from coordination.common.scopes import Scope
from coordination.partners.services import create_token
from observatories.models import Organisation


class Command(BaseCommand):
    help = "Make a token of an organisation. Its text is printed once and cannot be got again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("organisation", help="short name of the organisation")
        parser.add_argument("--name", default="command", help="which system uses it (default: %(default)s)")
        parser.add_argument(
            "--scope", action="append", required=True, choices=Scope.values, help="what it may do; may be repeated"
        )
        parser.add_argument("--days", type=float, help="how long it is valid (default: until it is revoked)")

    def handle(self, *args: Any, **options: Any) -> str:
        organisation = Organisation.objects.filter(slug=options["organisation"]).first()
        if organisation is None:
            raise CommandError(f"There is no organisation {options['organisation']}.", returncode=2)
        try:
            days = options["days"]
            expires_at = None if days is None else clock.now() + dt.timedelta(days=days)
            _, text = create_token(
                organisation.pk, name=options["name"], scopes=options["scope"], expires_at=expires_at
            )
        except (DomainError, OverflowError) as error:
            raise CommandError(str(error), returncode=2) from error
        return text
