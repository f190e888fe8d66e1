"""`manage.py tonight`: a short table of what is best in the coming 24 hours."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from rich.console import Console
from rich.table import Table

from coordination.visibility import quality
from coordination.visibility.tonight import best_tonight

_CAPTION = f"Highest in degrees, rate in arcsec/min. Only {quality.LISTED_MEANS}."


class Command(BaseCommand):
    help = "Print what is best in the next 24 hours: seen from the most sites, then for the longest."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--rows", type=int, default=12, help="how many targets (default 12)")

    def handle(self, *args: Any, rows: int, **options: Any) -> None:
        console = Console(width=100)  # the same whether it is read on a terminal or from a file
        best = best_tonight(limit=rows)
        if not best:
            console.print("No windows in the next 24 hours: run compute_windows first.")
            return
        table = Table(title="Best in the next 24 hours (UTC)", caption=_CAPTION)
        table.add_column("Target")
        for heading in ("Sites", "Telescope h", "From", "To", "V", "Highest", "Rate", "U", "Orbit"):
            table.add_column(heading, justify="right")
        for row in best:
            table.add_row(
                f"{row.designation} {row.name}".strip(),
                str(row.site_count),
                f"{row.hours:.1f}",
                f"{row.first_starts_at:%m-%d %H:%M}",
                f"{row.last_ends_at:%m-%d %H:%M}",
                f"{row.v_mag:.1f}",
                f"{row.peak_altitude_deg:.0f}",
                f"{row.rate_arcsec_min:.1f}",
                row.orbit_u,
                row.orbit_trust,
            )
        console.print(table)
