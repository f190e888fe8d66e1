"""The API keeps what its own OpenAPI document promises, whatever it is asked, and in whatever order.

At a large size: `python3 dev.py test tests/api/test_contract.py --schemathesis-examples=200`.
"""

import os

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import Client
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from coordination.common.scopes import Scope
from coordination.partners.services import create_token, create_webhook
from coordination.wsgi import application
from observatories.models import Organisation
from tests.coordination.booking.conftest import make_world

DOCUMENT = "/api/v1/schema/?format=json"
# Every case that the document defines of what is read; of all operations some, by somebody who may write.
schema = schemathesis.openapi.from_wsgi(DOCUMENT, application)
some_cases = SchemathesisConfig.from_dict({"phases": {"coverage": {"enabled": False}}})
signed_in = schemathesis.openapi.from_wsgi(DOCUMENT, application, config=some_cases)


EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES") or 0)


def of_size(usual: int, **further) -> settings:
    return settings(max_examples=EXAMPLES or usual, suppress_health_check=list(HealthCheck), deadline=None, **further)


# Not checked: that all that fits the document is accepted. That `before` is later than `after` it cannot say.
UNSAID = [positive_data_acceptance]
CSRF = "c" * 32


@schema.include(method="GET").parametrize()
@of_size(4)
def test_every_answer_is_as_documented(case, one_transaction):
    case.call_and_validate(excluded_checks=UNSAID)


@signed_in.parametrize()
@of_size(4)
def test_every_answer_to_a_coordinator_is_as_documented(case, coordinator):
    """The same by somebody who is signed in, on what is there: rows of a campaign for some of the identifiers."""
    session, there = coordinator
    if case.meta.generation.mode.is_positive:
        case.path_parameters.update({name: there[name] for name in case.path_parameters if name in there})
    headers = {"Cookie": f"sessionid={session}; csrftoken={CSRF}", "X-CSRFToken": CSRF}
    # Whether a call without the session is refused is asked by the anonymous calls.
    case.call_and_validate(headers=headers, excluded_checks=[*UNSAID, ignored_auth])


@signed_in.include(path_regex="/(events|webhooks)/").parametrize()
@of_size(4)
def test_every_answer_to_a_partners_system_is_as_documented(case, partner):
    token, webhook_id = partner
    if case.meta.generation.mode.is_positive and "id" in case.path_parameters:
        case.path_parameters["id"] = webhook_id
    case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, excluded_checks=[*UNSAID, ignored_auth])


def test_what_is_created_is_followed_along_the_links(coordinator_token):
    """Sequences: create, read, change, give up, along the links of the document, with a token."""
    token, there = coordinator_token

    class Sequences(signed_in.as_state_machine()):
        def before_call(self, case):
            if isinstance(case.body, dict) and (case.meta is None or case.meta.generation.mode.is_positive):
                case.body.update({name: value for name, value in there.items() if name in case.body})

        def get_call_kwargs(self, case):
            return {"headers": {"Authorization": f"Bearer {token}"}}

        def validate_response(self, response, case, **_):
            case.validate_response(response, excluded_checks=[*UNSAID, ignored_auth])

    run_state_machine_as_test(Sequences, settings=of_size(5, stateful_step_count=8))


@pytest.fixture
def coordinator_token(one_transaction):
    """A token with all scopes of who leads a campaign; and what bodies have to name for something to come of them."""
    world = make_world()
    chile = world.organisations["chile"]
    there = {
        "slot": world.slot.pk, "campaign": world.campaign.slug, "target": "2026 AB1", "organisation": "chile",
        "lead_organisation": "chile", "telescope": world.telescopes["chile"].pk, "seats": [world.seats["chile"].pk],
        "url": "https://8.8.8.8/neo",
    }  # fmt: skip
    return create_token(chile.pk, name="robot", scopes=Scope.values)[1], there


@pytest.fixture
def partner(one_transaction):
    """A token with all scopes of an organisation that has a webhook."""
    organisation = Organisation.objects.create(name="Partner", slug="partner")
    webhook = create_webhook(organisation.pk, url="https://8.8.8.8/neo")
    return create_token(organisation.pk, name="robot", scopes=Scope.values)[1], webhook.pk


@pytest.fixture
def one_transaction(db):
    """Requests stay in the transaction of the test, as with Django's own client: it is not taken for a lost one."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def coordinator(one_transaction):
    """The session of a scheduler who leads a campaign with slots, a claim and a booking; and identifiers by name."""
    world = make_world()
    world.claim("chile")
    client = Client()
    client.force_login(world.lead)
    there = {"slug": world.campaign.slug, "id": world.slot.pk, "seat": world.seats["canary"].pk}
    return client.cookies["sessionid"].value, there


@pytest.mark.django_db
def test_the_document_is_complete_and_without_warnings(tmp_path):
    from django.core.management import call_command

    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yml"))


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/api/v1/nowhere/", "/api/v1/targets/nobody/", "/api/v1/telescopes/0/"])
def test_what_is_not_there_is_a_problem(client, address):
    answer = client.get(address)
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
    assert answer.json()["type"] == "urn:neo-coordination:problem:not-found"


@pytest.mark.django_db
def test_writing_is_refused(client):
    answer = client.post("/api/v1/targets/", {})
    assert answer.status_code in (401, 403, 405)
    assert answer["Content-Type"] == "application/problem+json"
