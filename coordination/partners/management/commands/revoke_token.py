"""Close a token at once."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from coordination.common.problems import DomainError
from coordination.partners.models import PartnerToken
from coordination.partners.services import revoke_token


class Command(BaseCommand):
    help = "Revoke a token at once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("prefix", help="what stands between neo_ and the secret; the whole token will do too")

    def handle(self, *args: Any, **options: Any) -> str:
        given = options["prefix"]
        prefix = given.split("_")[1] if given.startswith("neo_") else given
        token = PartnerToken.objects.filter(prefix=prefix).first()
        if token is None:
            raise CommandError(f"There is no token with the prefix {prefix}.", returncode=2)
        try:
            return f"revoked: {revoke_token(token.pk)}"
        except DomainError as error:
            raise CommandError(error.detail, returncode=2) from error
