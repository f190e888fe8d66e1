"""Load the demonstration network and its campaign."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from rich.console import Console

from coordination.booking.services import load_demo_campaign
from coordination.booking.services.telling import period_text
from observatories.services import load_demo


class Command(BaseCommand):
    help = (
        "Create real telescopes with their organisations, marked as demo, to try the service with, and a campaign of "
        "theirs with a slot to claim once there are windows. What is there already stays as it is. remove_demo deletes "
        "all of it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--campaign-only", action="store_true", help="no telescopes: a new campaign where those are loaded"
        )

    def handle(self, *args: Any, campaign_only: bool, **options: Any) -> None:
        console = Console(stderr=True, highlight=False)
        if not campaign_only:
            result = load_demo()
            console.print(
                f"demonstration network: {result.telescopes} telescopes and {result.organisations} organisations "
                "created",
                soft_wrap=True,
            )
        campaign = load_demo_campaign()
        if campaign is None:
            console.print("demonstration campaign: none, as there are no windows of its telescopes yet", soft_wrap=True)
            return
        for slot in campaign.slots.all():
            when = period_text(slot.starts_at, slot.ends_at)
            console.print(f"demonstration campaign: {campaign.title}; slot {slot.pk}, {when}", soft_wrap=True)
