"""The Celery application."""

import subprocess
import sys

SCRIPT = """
from celery.signals import worker_init
from coordination.celery import app
from observatories.sites import earth_orientation

app.finalize()
assert earth_orientation._installed_table.cache_info().currsize == 0
worker_init.send(sender=None)
print(earth_orientation._installed_table.cache_info().currsize)
"""


def test_a_worker_reads_its_tables_before_it_forks() -> None:
    """In a process of its own: in this one another test may have read them."""
    run = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert run.stdout.strip() == "1", run.stderr
