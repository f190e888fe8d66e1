"""A checkout in miniature: the real dev.py and environment, a project of a few lines."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SET_BY_DEV = {"DATABASE_URL", "REDIS_URL", "NEO_STATE_DIR", "SECRET_KEY", "DEBUG", "ALLOWED_HOSTS"}

MANAGE = """
import os, sys, time
command = sys.argv[1] if len(sys.argv) > 1 else ""
if command == "echo":
    print(*sys.argv[2:], sys.stdin.read(), end="")
    sys.exit(7)
if command == "urls":
    import psycopg, redis
    psycopg.connect(os.environ["DATABASE_URL"]).execute("SELECT 1")
    redis.from_url(os.environ["REDIS_URL"]).ping()
    print(os.environ["DATABASE_URL"], os.environ["REDIS_URL"], flush=True)
    if "wait" in sys.argv:
        time.sleep(60)
if command == os.environ.get("FAILING_COMMAND"):
    sys.exit(3)
"""
WSGI = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"here"]
"""
CELERY = """
import os
from celery import Celery
app = Celery("miniature", broker=os.environ["REDIS_URL"])
app.conf.beat_schedule_filename = os.environ["NEO_STATE_DIR"] + "/beat"
app.conf.broker_connection_retry_on_startup = True
"""


class Checkout:
    """A directory with dev.py in it, and ways to call that."""

    def __init__(self, top: Path, with_environment: bool = True) -> None:
        self.top = top
        self.state = top / ".neo"
        (top / "coordination").mkdir(parents=True)
        shutil.copy(ROOT / "dev.py", top)
        shutil.copytree(ROOT / "devtools", top / "devtools", ignore=shutil.ignore_patterns("__pycache__"))
        (top / "requirements").symlink_to(ROOT / "requirements")
        if with_environment:
            (top / ".venv").symlink_to(ROOT / ".venv")
        (top / "manage.py").write_text(MANAGE)
        (top / "coordination" / "__init__.py").touch()
        (top / "coordination" / "wsgi.py").write_text(WSGI)
        (top / "coordination" / "celery.py").write_text(CELERY)

    def command(self, *words: str) -> list[str]:
        return [sys.executable, str(self.top / "dev.py"), *words]

    def environment(self, **changes: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in SET_BY_DEV}
        return {**kept, **changes}

    def call(self, *words: str, stdin: str = "", **changes: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*words), input=stdin, capture_output=True, text=True, timeout=60, cwd="/",
            env=self.environment(**changes),
        )  # fmt: skip

    def start(self, *words: str, **options: object) -> subprocess.Popen[str]:
        return subprocess.Popen(  # type: ignore[call-overload]
            self.command(*words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, cwd="/", **{"env": self.environment(), **options},
        )  # fmt: skip

    def processes(self) -> list[str]:
        """The command lines of all living processes that belong to this checkout."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                inside = str((entry / "cwd").readlink()).startswith(str(self.top))
            except OSError:
                continue
            if line and (str(self.top) in line or inside):
                found.append(line)
        return found
