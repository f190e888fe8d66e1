"""The container set-up, as far as it can be checked without a container engine."""

import fnmatch
import re
from typing import Any

import pytest
import yaml

from devtools.common import ROOT

COMPOSE_TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(COMPOSE_TEXT)
SERVICES: dict[str, Any] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
LASTING = sorted(set(SERVICES) - {"migrate"})


@pytest.mark.parametrize("name", LASTING)
def test_every_lasting_service_has_a_health_check_and_comes_back(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"
    assert SERVICES[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", ["web", "worker", "beat"])
def test_what_uses_the_database_waits_for_the_migration(name: str) -> None:
    assert SERVICES[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert SERVICES[name]["depends_on"]["postgres"] == {"condition": "service_healthy"}


@pytest.mark.parametrize("variable", ["SECRET_KEY", "POSTGRES_PASSWORD", "ALLOWED_HOSTS"])
def test_a_missing_secret_stops_compose_with_a_message(variable: str) -> None:
    uses = re.findall(rf"\$\{{{variable}[^}}]*\}}", COMPOSE_TEXT)
    assert uses
    assert all(use.startswith(f"${{{variable}:?set {variable} in .env") for use in uses)
    assert re.search(rf"^{variable}=$", (ROOT / ".env.example").read_text(), re.MULTILINE)


def test_all_data_lies_in_named_volumes() -> None:
    for service in SERVICES.values():
        for mount in service.get("volumes", []):
            assert mount.split(":")[0] in COMPOSE["volumes"]


def test_only_the_web_server_is_published_and_for_this_machine_only() -> None:
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"web"}
    assert SERVICES["web"]["ports"] == ["${NEO_BIND:-127.0.0.1}:${NEO_PORT:-8000}:8000"]
    assert all(SERVICES[name]["networks"] == ["inner"] for name in ("postgres", "valkey"))


def test_what_the_image_copies_exists_and_is_let_through() -> None:
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    copies = re.findall(r"(?m)^COPY (?!--from)(.+) \S+$", DOCKERFILE)
    sources = [source for copy in copies for source in copy.split()]
    assert {"manage.py", "coordination", "targets", "observatories"} <= set(sources)
    for source in sources:
        assert (ROOT / source).exists(), source
        assert any(fnmatch.fnmatch(source, pattern) for pattern in allowed), source


def test_the_image_holds_production_packages_and_runs_as_an_ordinary_account() -> None:
    assert "--require-hashes -r /tmp/production.txt" in DOCKERFILE
    assert "development.txt" not in DOCKERFILE
    assert "embedded.txt" not in DOCKERFILE
    assert DOCKERFILE.index("\nUSER neo\n") < DOCKERFILE.index("\nCMD ")


def test_no_demo_data_is_loaded_and_the_first_administrator_is_explained() -> None:
    script = (ROOT / "docker" / "migrate.sh").read_text()
    assert "demo" not in script.replace("least of all demo data", "")
    assert "bootstrap" not in script
    assert "docker compose exec web python manage.py createsuperuser" in script
