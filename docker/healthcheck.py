"""Health checks of the containers: exit code 0 if the part named on the command line does its work.

web: /health/ answers 200. worker: the worker of this container answers a ping. beat: the schedule was advanced lately.
"""

import datetime as dt
import os
import socket
import sys
import urllib.request

BEAT_MAX_AGE = dt.timedelta(minutes=15)  # beat writes down every few minutes what it has sent


def web() -> bool:
    with urllib.request.urlopen("http://127.0.0.1:8000/health/", timeout=10) as response:
        return int(response.status) == 200


def worker() -> bool:
    from coordination.celery import app

    return bool(app.control.inspect([f"celery@{socket.gethostname()}"], timeout=5).ping())


def beat() -> bool:
    import psycopg

    with psycopg.connect(os.environ["DATABASE_URL"], connect_timeout=5) as connection:
        row = connection.execute("SELECT max(last_run_at) FROM django_celery_beat_periodictask").fetchone()
    last = row[0] if row else None
    return last is not None and dt.datetime.now(dt.UTC) - last < BEAT_MAX_AGE


if __name__ == "__main__":
    sys.path.insert(0, os.getcwd())
    try:
        healthy = {"web": web, "worker": worker, "beat": beat}[sys.argv[1]]()
    except Exception as error:  # whatever it is: the container's health record wants one line
        sys.exit(f"{type(error).__name__}: {error}")
    sys.exit(0 if healthy else 1)
