"""What an installation as a whole promises: health, safe settings, pages that open."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_production_settings_pass_the_deployment_check():
    environment = {
        "PATH": os.environ["PATH"],
        "SECRET_KEY": "x9" * 40 + "-only-for-this-check",
        "ALLOWED_HOSTS": "neo.example.org",
        "DATABASE_URL": "postgres://nobody@127.0.0.1:9/none",
    }
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    check = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert check.returncode == 0, check.stderr


@pytest.mark.django_db
def test_health_is_bad_without_a_worker(client):
    answer = client.get("/health/", headers={"accept": "application/json"})
    assert answer.status_code == 503
    said = {check.partition("(")[0]: result for check, result in answer.json().items()}
    assert said["Database"] == said["Cache"] == "OK"
    assert "unavailable" in said["Ping"].lower()


@pytest.mark.django_db
def test_the_first_page_opens_on_an_empty_installation(client):
    page = client.get("/")
    assert page.status_code == 200
    assert "No windows yet" in page.text


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/api/v1/docs/", "/api/v1/redoc/"])
def test_documentation_needs_nothing_from_elsewhere(client, address):
    page = client.get(address)
    assert page.status_code == 200
    assert re.findall(r"""(?:src|href|@import)\W+(https?:[^"']+)""", page.text) == []


def test_the_sign_in_page_opens_for_nobody(client, db):
    response = client.get("/admin/login/")
    assert response.status_code == 200
    assert "Username" in response.content.decode()
