"""The first start of an empty installation, and every later one."""

import re

import pytest
from django.core.management import call_command

from coordination.visibility.management.commands import bootstrap
from observatories.models import Observatory, Telescope, User
from targets.models import Target

pytestmark = pytest.mark.django_db


@pytest.fixture
def catalogue(monkeypatch):
    """Stands for the 40,874 objects that are shipped, whose import has tests of its own."""

    def run(command: str) -> None:
        if command == "import_targets":
            Target.objects.create(designation="99942", name="Apophis")
        else:
            call_command(command)

    monkeypatch.setattr(bootstrap, "call_command", run)


def test_an_empty_installation_is_filled_and_the_password_shown_once(catalogue, capsys, client):
    call_command("bootstrap", address="http://127.0.0.1:8123/")
    said = capsys.readouterr()
    assert said.out == ""
    assert (Target.objects.count(), Observatory.objects.count(), Telescope.objects.count()) == (1, 2722, 35)
    [(name, password, address)] = re.findall(r"user (\w+), password (\S+) \(shown this once\), at (\S+)", said.err)
    assert address == "http://127.0.0.1:8123/admin/"
    assert client.login(username=name, password=password)
    assert User.objects.get(username=name).is_superuser

    call_command("bootstrap")
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "nothing to fill: targets, observatories, telescopes and an administrator are there\n"


def test_what_is_there_stays(catalogue, capsys):
    Target.objects.create(designation="433")
    boss = User.objects.create_superuser("boss", password="not-a-real-password")
    call_command("bootstrap")
    assert Target.objects.get().designation == "433"
    assert User.objects.get() == boss
    assert "password" not in capsys.readouterr().err


def test_nobody_is_made_administrator_by_name(catalogue, capsys):
    User.objects.create_user("admin", password="not-a-real-password")
    call_command("bootstrap")
    assert not User.objects.filter(is_superuser=True).exists()
    assert "createsuperuser" in " ".join(capsys.readouterr().err.split())


def test_passwords_are_long_and_differ():
    passwords = {bootstrap.readable_password() for _ in range(100)}
    assert len(passwords) == 100
    assert all(re.fullmatch(r"([a-z]{4}-){4}[a-z]{4}", password) for password in passwords)
