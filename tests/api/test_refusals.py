"""Whatever refuses a request to the API, and wherever: a problem that explains itself."""

import ast
import json
import socket
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client, override_settings
from django.urls import path
from rest_framework.views import APIView

from coordination.common import problems, refusals
from coordination.common.problem_types import TYPES
from coordination.common.problems import DomainError
from coordination.partners.services import create_token
from coordination.urls import urlpatterns as real
from observatories.models import Organisation

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]


def problem_of(answer, status: int, name: str) -> dict:
    assert answer.status_code == status, answer.content[:500]
    assert answer["Content-Type"] == "application/problem+json", answer.content[:500]
    body = json.loads(answer.content)
    assert (body["type"], body["status"]) == (f"urn:neo-coordination:problem:{name}", status)
    assert status in TYPES[name].statuses
    assert f'/api/v1/problems/{name}/>; rel="help"' in answer["Link"]
    return body


@pytest.fixture
def robot():
    """A partner's system with all scopes; its `send` gives a body as it is."""
    organisation = Organisation.objects.create(name="Partner", slug="partner")
    _, text = create_token(organisation.pk, name="robot", scopes=["read", "claim", "manage", "report"])
    client = Client(headers={"authorization": f"Bearer {text}"}, raise_request_exception=False)

    def send(raw: bytes, path="/api/v1/webhooks/", content_type="application/json", **further):
        return client.generic("POST", path, raw, content_type=content_type, **further)

    client.send = send
    return client


class TestTypes:
    def test_every_type_that_is_used_is_documented_and_none_else(self):
        used = set()
        for file in ROOT.glob("*/**/*.py"):
            if file.relative_to(ROOT).parts[0] not in ("coordination", "observatories", "targets"):
                continue
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in (
                    "problem",
                    "_refusal",
                ):
                    used |= {each.value for each in node.args[:1] if isinstance(each, ast.Constant)}
                elif isinstance(node, ast.ClassDef):
                    used |= {
                        each.value.value
                        for each in node.body
                        if isinstance(each, ast.Assign)
                        and getattr(each.targets[0], "id", "") == "problem"
                        and isinstance(each.value, ast.Constant)  # else a column of that name
                    }
        used |= {name for _, name in problems._BY_EXCEPTION} | set(refusals._BY_STATUS.values())
        assert used == set(TYPES)

    def test_every_refusal_of_a_service_has_a_status_of_its_type(self):
        pending, kinds = [DomainError], []
        while pending:
            kinds.append(pending.pop())
            pending += kinds[-1].__subclasses__()
        assert all(kind.status in TYPES[kind.problem].statuses for kind in kinds)

    def test_each_has_a_page_and_all_are_on_one(self, client):
        everything = client.get("/api/v1/problems/").text
        for kind in TYPES.values():
            page = client.get(f"/api/v1/problems/{kind.name}/")
            assert page.status_code == 200
            assert kind.uri in page.text
            assert kind.uri in everything
        assert client.get("/api/v1/problems/nothing-of-ours/").status_code == 404

    def test_the_document_is_made_from_the_same_table(self, capsys):
        call_command("problem_types")
        assert (ROOT / "docs/problems.md").read_text() == capsys.readouterr().out

    def test_the_openapi_document_names_all(self, client):
        schema = client.get("/api/v1/schema/?format=json").json()["components"]["schemas"]["Problem"]
        assert schema["properties"]["type"]["enum"] == [kind.uri for kind in TYPES.values()]
        members = {name for kind in TYPES.values() for name in kind.members}
        assert members == set(schema["properties"]) - {"type", "title", "status", "detail"}


MALFORMED = {
    b'{"url": }': (1, 9),
    b'{"url": "a",\n  "kinds": [1 2]}': (2, 15),
    b'{"url": NaN}': (1, 9),
    b'{"url": "NaN", "kinds": -Infinity}': (1, 25),
    b'{"url":\n"\xff"}': (2, 2),
    b'{"url": ' + b"1" * 5000 + b"}": (1, 9),
    b'{"url": "\\ud800"}': (1, 10),
    b'\xef\xbb\xbf{"url": "a"}': (1, 1),
    b'{"url": "a"} {}': (1, 14),
    b"{'url': 1}": (1, 2),
    b" ": (1, 2),
}


class TestBodies:
    @pytest.mark.parametrize("raw", MALFORMED, ids=lambda raw: repr(raw[:24]))
    def test_malformed_json_is_refused_with_its_place(self, robot, raw):
        body = problem_of(robot.send(raw), 400, "unreadable")
        assert (body["line"], body["column"]) == MALFORMED[raw]
        assert f"line {body['line']}, column {body['column']}" in body["detail"]

    @pytest.mark.parametrize("raw", [b"[" * 100_000, b'{"a":' * 50_000 + b"1" + b"}" * 50_000])
    def test_deep_nesting_is_refused(self, robot, raw):
        assert "nested" in problem_of(robot.send(raw), 400, "unreadable")["detail"]

    def test_a_name_that_is_given_twice_is_refused(self, robot):
        body = problem_of(robot.send(b'{"url": "https://a.example", "url": "https://b.example"}'), 400, "unreadable")
        assert body["errors"][0]["field"] == "url"

    def test_half_a_surrogate_pair_as_a_name_is_refused_and_a_pair_is_not(self, robot):
        problem_of(robot.send(b'{"\\udc00": 1}'), 400, "unreadable")
        problem_of(robot.send(b'{"\\ud83d\\ude00": 1}'), 400, "invalid-input")

    @pytest.mark.parametrize("raw", [b"[]", b'"url"', b"7", b"null", b"true"])
    def test_what_is_no_object_is_refused(self, robot, raw):
        problem_of(robot.send(raw), 400, "invalid-input")

    @pytest.mark.parametrize(
        "kind",
        ["text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "",
         "application/json; charset=latin-1", "nonsense"],
    )  # fmt: skip
    def test_another_content_type_is_refused_naming_what_is_read(self, robot, kind):
        body = problem_of(robot.send(b"{}", content_type=kind), 415, "unsupported-media-type")
        assert body["accepted"] == ["application/json"]
        assert "application/json" in body["detail"]

    def test_a_body_beyond_the_limit_is_refused_whatever_it_is(self, robot, settings):
        settings.API_BODY_LIMIT_BYTES = 1000
        for kind in ("application/json", "multipart/form-data; boundary=x", "text/plain"):
            body = problem_of(robot.send(b"[" + b" " * 1000 + b"]", content_type=kind), 413, "too-large")
            assert body["limit_bytes"] == 1000
        problem_of(robot.send(b"[" + b" " * 998 + b"]"), 400, "invalid-input")
        problem_of(robot.send(b"{}", CONTENT_LENGTH="9" * 5000), 413, "too-large")

    def test_a_malformed_length_is_refused(self, robot):
        problem_of(robot.send(b"{}", CONTENT_LENGTH="-1"), 400, "unreadable")

    def test_a_body_without_its_length_is_refused_instead_of_taken_for_empty(self, robot):
        answer = robot.post("/api/v1/webhooks/", headers={"transfer-encoding": "chunked"}, CONTENT_LENGTH="")
        problem_of(answer, 411, "length-required")


class Failing(APIView):
    def get(self, request):
        raise RuntimeError("secret of the house")


urlpatterns = [path("api/v1/failing/", Failing.as_view()), *real]


class TestDjangosOwn:
    @pytest.mark.parametrize("debug", [False, True])
    def test_an_unknown_address(self, client, settings, debug):
        settings.DEBUG = debug
        body = problem_of(client.get("/api/v1/nowhere/"), 404, "not-found")
        assert "/api/v1/nowhere/" in body["detail"]

    @pytest.mark.parametrize("debug", [False, True])
    def test_a_view_that_fails(self, settings, debug):
        settings.DEBUG = debug
        with override_settings(ROOT_URLCONF=__name__):
            answer = Client(raise_request_exception=False).get("/api/v1/failing/")
        problem_of(answer, 500, "internal-error")
        assert "secret" not in answer.text

    @pytest.mark.parametrize("debug", [False, True])
    def test_a_host_that_is_none_of_ours(self, client, settings, debug):
        settings.DEBUG, settings.ALLOWED_HOSTS = debug, ["testserver"]
        answer = client.get("/api/v1/targets/", headers={"host": "evil.example"})
        assert "Host" in problem_of(answer, 400, "unreadable")["detail"]

    def test_a_write_without_its_csrf_token(self, signed_in_client):
        client = Client(enforce_csrf_checks=True)
        client.cookies = signed_in_client.cookies
        body = problem_of(client.post("/api/v1/claims/", {}, content_type="application/json"), 403, "forbidden")
        assert "CSRF" in body["detail"]

    @pytest.mark.parametrize("debug", [False, True])
    def test_a_write_without_its_slash_is_no_redirect_that_a_client_would_follow_with_a_get(
        self, robot, settings, debug
    ):
        settings.DEBUG = debug
        body = problem_of(robot.send(b"{}", path="/api/v1/claims"), 404, "not-found")
        assert "/api/v1/claims/" in body["detail"]
        assert robot.get("/api/v1/claims").status_code == 301

    @pytest.mark.parametrize(
        "address",
        ["/api/v1/targets/%00/", "/api/v1/targets/%ff%fe/", "/api/v1/campaigns/%00/", "/api/v1/telescopes/%00/",
         "/api/v1/%ff/", "/api/v1/slots/9999999999999999999999/", "/api/v1/telescopes/9999999999999999999999/",
         "/api/v1/telescopes/9999999999999999999999/occupied/", "/api/v1/problems/%00/"],
    )  # fmt: skip
    def test_addresses_that_mean_nothing(self, robot, address):
        problem_of(robot.get(address), 404, "not-found")

    @pytest.mark.parametrize(
        "query",
        ["name=%00", "name=%ff", "designation=%00", "cursor=%ff", "cursor=%00", "cursor=AAAA", "cursor=WzFd",
         "limit=%00", "order_by=%00", "h_min=%00", "h_min=NaN", "h_min=1e999", "limit=0", "%00=1", "%ff=1",
         "last_observed_after=%00", "a[b]=1"],
    )  # fmt: skip
    def test_queries_that_mean_nothing_are_refused_or_find_nothing(self, robot, query):
        answer = robot.get(f"/api/v1/targets/?{query}")
        if answer.status_code == 200:
            assert answer.json()["results"] == []
        else:
            problem_of(answer, 400, "invalid-input")

    def test_very_many_parameters(self, robot):
        problem_of(robot.get("/api/v1/targets/?" + "&".join(f"a{k}=1" for k in range(2000))), 400, "unreadable")

    def test_a_method_that_is_none(self, robot):
        for method in ("PUT", "TRACE", "BREW"):
            problem_of(robot.generic(method, "/api/v1/targets/"), 405, "method-not-allowed")

    def test_a_format_that_is_not_offered_is_told_with_those_that_are(self, robot):
        body = problem_of(robot.get("/api/v1/windows/?format=xml"), 406, "not-acceptable")
        for name in ("json", "csv", "votable"):
            assert f"format={name})" in body["detail"]
        assert "text/csv" in body["accepted"]
        problem_of(robot.get("/api/v1/targets/?format=csv"), 406, "not-acceptable")

    def test_a_format_in_the_address_is_stronger_than_what_is_accepted(self, robot):
        for accept in ("application/json", "text/html", "*/*", "image/png"):
            answer = robot.get("/api/v1/windows/?format=csv", headers={"accept": accept})
            assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8")

    def test_a_format_that_is_not_offered(self, robot):
        body = problem_of(robot.get("/api/v1/targets/", headers={"accept": "image/png"}), 406, "not-acceptable")
        assert "application/json" in body["accepted"]

    def test_pages_for_people_stay_pages(self, client):
        answer = client.get("/nowhere/")
        assert (answer.status_code, answer["Content-Type"].partition(";")[0]) == (404, "text/html")


def test_a_real_server_reads_no_body_beyond_the_limit_and_goes_on(live_server, settings):
    """Over a socket: length and chunks as they come, and the same connection afterwards."""
    settings.API_BODY_LIMIT_BYTES = 1000
    host = live_server.thread.host, live_server.thread.port
    for head, status in (("Content-Length: 2000", b"413"), ("Transfer-Encoding: chunked", b"411")):
        with socket.create_connection(host, timeout=10) as connection:
            connection.sendall(f"POST /api/v1/claims/ HTTP/1.1\r\nHost: localhost\r\n{head}\r\n\r\n".encode())
            assert connection.recv(65536).split()[1] == status
