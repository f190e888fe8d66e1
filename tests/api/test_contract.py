"""The API keeps what its own OpenAPI document promises, whatever it is asked."""

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from coordination.wsgi import application

schema = schemathesis.openapi.from_wsgi("/api/v1/schema/?format=json", application)


@schema.parametrize()
@settings(max_examples=25, suppress_health_check=list(HealthCheck), deadline=None)
def test_every_answer_is_as_documented(case, live_server):
    # Not checked: that all that fits the document is accepted. That `before` is later than `after` it cannot say.
    case.call_and_validate(base_url=live_server.url, excluded_checks=[positive_data_acceptance])


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
    assert answer.status_code in (403, 405)
    assert answer["Content-Type"] == "application/problem+json"
