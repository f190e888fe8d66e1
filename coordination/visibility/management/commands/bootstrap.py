"""Fill an empty installation, so that there is something to see."""

from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand
from rich.console import Console

from observatories.models import Observatory, Telescope, User
from observatories.passwords import readable_password
from targets.models import Target


class Command(BaseCommand):
    help = (
        "Fill what is empty: the catalogue that is shipped, the observatory codes, the demonstration network, and a "
        "first administrator, whose password is shown once. What is there already stays as it is."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--address", default="http://127.0.0.1:8000/", metavar="URL", help="where the service will answer"
        )

    def handle(self, *args: Any, address: str, **options: Any) -> None:
        console = Console(stderr=True, highlight=False)
        filled = False
        for model, command in (
            (Target, "import_targets"),
            (Observatory, "import_observatories"),
            (Telescope, "load_demo"),
        ):
            if not model._default_manager.exists():
                call_command(command)
                filled = True
        if not User.objects.filter(is_superuser=True).exists():
            create_administrator(console, address)
            filled = True
        if not filled:
            console.print(
                "nothing to fill: targets, observatories, telescopes and an administrator are there", soft_wrap=True
            )


def create_administrator(console: Console, address: str) -> None:
    name = "admin"
    if User.objects.filter(username=name).exists():
        console.print(
            f"a user {name} exists who is no administrator: make one with `manage.py createsuperuser`", soft_wrap=True
        )
        return
    password = readable_password()
    User.objects.create_superuser(name, password=password)
    console.print(
        f"administrator: user [bold]{name}[/], password [bold]{password}[/] (shown this once), "
        f"at {address.rstrip('/')}/admin/",
        soft_wrap=True,
    )
