"""The walk-through of docs/api.md does what it says, run as it stands against a real server."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from coordination.booking.models import Claim
from coordination.partners.services import create_token

from ..coordination.booking.conftest import make_world

ROOT = Path(__file__).resolve().parents[2]


def program(heading: str, language: str) -> str:
    """The only program under a heading of the document."""
    section = (ROOT / "docs" / "api.md").read_text().split(f"\n### {heading}\n")[1].split("\n### ")[0].split("\n## ")[0]
    [found] = re.findall(rf"^```{language}\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    return found


@pytest.fixture
def environment(committed_db, live_server) -> dict[str, str]:
    world = make_world()
    _, token = create_token(world.organisations["canary"].pk, name="night robot", scopes=["read", "claim"])
    return os.environ | {
        "SITE": live_server.url,
        "NEO_TOKEN": token,
        "PYTHONPATH": str(ROOT / "clients" / "python" / "src"),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }


def run(command: list[str], text: str, environment: dict[str, str], folder: Path) -> str:
    done = subprocess.run(command, input=text, env=environment, cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_with_curl(environment, tmp_path):
    said = run(["bash", "-euo", "pipefail"], program("With curl", "sh"), environment, tmp_path)
    claim = Claim.objects.get()
    assert (claim.state, claim.note) == ("withdrawn", "clear skies")
    assert f"claim {claim.pk} is held\nclaim {claim.pk} is withdrawn\n" in said
    assert "claim.held" in said
    assert "claim.withdrawn" in said


def test_with_python(environment, tmp_path):
    said = run([sys.executable, "-"], program("With Python", "py"), environment, tmp_path)
    claim = Claim.objects.get()
    assert claim.state == "withdrawn"
    assert f"claim {claim.pk} is held\nclaim {claim.pk} is withdrawn\n" in said
    assert f"claim.held claim:{claim.pk}" in said
