"""The kinds of refusals of the API, as docs/problems.md has them."""

from typing import Any

from django.core.management.base import BaseCommand

from coordination.common.problem_types import as_markdown


class Command(BaseCommand):
    help = "Print docs/problems.md: every problem type of the API, from its table."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(as_markdown(), ending="")
