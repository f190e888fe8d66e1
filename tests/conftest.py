"""Fixtures that several rooms share."""

import os

import hypothesis
import pytest
from astropy.utils import iers
from django.test import Client

from observatories.models import User
from tests import emptying

# astropy is the oracle of many tests: it takes the Earth's orientation from its package, as the service does.
iers.conf.auto_download, iers.conf.auto_max_age = False, None

# How long an example takes depends on the machine and says nothing of correctness.
hypothesis.settings.register_profile("project", deadline=None)
# The same examples in every check of the same code; new ones are sought where somebody can look at what they find.
hypothesis.settings.register_profile("check", deadline=None, derandomize=True)
hypothesis.settings.load_profile("check" if os.environ.get("CI") else "project")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--schemathesis-examples", type=int, default=0, metavar="N",
        help="requests for each operation of the OpenAPI document (tests/api/test_contract.py); default: a few",
    )  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    emptying.install()
    os.environ["SCHEMATHESIS_EXAMPLES"] = str(config.getoption("--schemathesis-examples") or "")


@pytest.fixture
def admin_client(db) -> Client:
    """A browser in which an administrator of the installation is signed in."""
    client = Client()
    client.force_login(User.objects.create_superuser("admin", "admin@example.org", "not-a-real-password"))
    return client


@pytest.fixture
def signed_in_client(db) -> Client:
    """A browser in which somebody without any role is signed in."""
    client = Client()
    client.force_login(User.objects.create_user("reader", "reader@example.org", "not-a-real-password"))
    return client
