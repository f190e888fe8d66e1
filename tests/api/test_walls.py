"""Organisations are walls, at every address and with every method: made from the URL table and the OpenAPI document, so
that an address that comes later is tested too. What is private of another organisation can neither be seen nor changed,
and a confidential target is nowhere: it looks exactly like one that does not exist.
"""

import json
import re
from urllib.parse import quote, urlencode

import pytest
from django.test import Client
from django.urls import NoReverseMatch, reverse

from targets.designations import key_of
from targets.models import Designation, Target

from .document import addresses, operations
from .house import (
    BESIDE,
    BODY,
    CANDIDATE,
    HIDDEN,
    PARAMETERS,
    QUERY,
    ROWS,
    SAME_FOR_ALL,
    SECRETS,
    House,
    make_house,
    state_of_everything,
)

pytestmark = pytest.mark.django_db
UNKNOWN = {HIDDEN: "2031 QX78", "K31Q77X": "K31Q78X", "Sentinella": "Sentinellb", "classified-campaign": "no-campaign"}
UNKNOWN_ID = 987_654_321


@pytest.fixture
def house() -> House:
    return make_house()


def client_with(token: str) -> Client:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return Client(headers=headers, raise_request_exception=False)


def callers(house: House) -> dict[str, Client]:
    return {"another organisation": client_with(house.outsider), "nobody": client_with("")}


def every_address(house: House, without=frozenset()) -> list[str]:
    found = []
    for name, _, parameters in addresses():
        for filled in [] if name in SAME_FOR_ALL else house.paths(name, parameters):
            found.append(reverse(name, kwargs=filled))
    for operation in operations():
        if operation.name in BESIDE:  # without these it would tell nothing
            query = urlencode(beside(operation, house), quote_via=quote)
            found += [f"{path}?{query}" for path in _filled(operation, house)]
    return sorted(set(found))


def beside(operation, house: House) -> dict:
    return {key: house.there[value] for key, value in BESIDE.get(operation.name, {}).items()}


def leaks(answer, asked: str) -> list[str]:
    """The secrets in an answer, without those that the caller named."""
    text = answer.content.decode("utf-8", "replace") + json.dumps(dict(answer.headers))
    named = asked.replace("%20", "").replace(" ", "")
    return [secret for secret in SECRETS if secret in text and secret.replace(" ", "") not in named]


def test_every_address_is_known_here(house):
    for name, pattern, parameters in addresses():
        try:
            assert all(reverse(name, kwargs=filled) for filled in house.paths(name, parameters))
        except (KeyError, ValueError, NoReverseMatch) as error:
            pytest.fail(f"tests/api/house.py does not know what to put into {name} ({pattern.pattern}): {error!r}")


def test_no_secret_is_in_any_answer(house):
    for who, client in callers(house).items():
        for address in every_address(house):
            for method in ("get", "head", "options"):
                answer = getattr(client, method)(address)
                assert answer.status_code < 500, f"{method} {address} by {who}"
                assert leaks(answer, address) == [], f"{method} {address} by {who}: {answer.content[:2000]!r}"


def test_a_candidate_is_for_whoever_is_signed_in(house):
    nobody, signed_in = client_with(""), client_with(house.outsider)
    seen = 0
    for address in every_address(house):
        assert CANDIDATE not in nobody.get(address).content.decode("utf-8", "replace"), address
        seen += CANDIDATE in signed_in.get(address).content.decode("utf-8", "replace")
    assert seen >= 2  # targets and windows at least: the test would see it if it were there


def test_the_secrets_are_there_to_be_seen(house):
    """By the organisation whose they are: else the other tests could not fail."""
    insider = client_with(house.insider)
    found = "".join(insider.get(address).content.decode("utf-8", "replace") for address in every_address(house))
    assert set(SECRETS) - {"K31Q77X", "2031QX77"} <= {secret for secret in SECRETS if secret in found}
    for what in ("reason", "purpose", "note", "title", "aim", "error"):
        assert f"classified {what}" in found, what
    assert "8.8.8.8/classified" in found


def unknown_of(text: str) -> str:
    for known, other in UNKNOWN.items():
        text = text.replace(known, other).replace(known.replace(" ", "%20"), other.replace(" ", "%20"))
    return text


def plain(answer, asked: str, other: str) -> tuple[int, str]:
    """Status and body of an answer, with what was asked for taken out."""
    body = answer.content.decode("utf-8", "replace")
    for text in sorted({asked, other, asked.replace("%20", " "), other.replace("%20", " ")}, key=len, reverse=True):
        body = body.replace(text, "…")
    return answer.status_code, body


def test_a_private_row_looks_like_one_that_does_not_exist(house):
    """Whatever its address is asked for, and with whatever method."""
    compared = 0
    for client in callers(house).values():
        for operation in operations():
            names = operation.parameters("path")
            if len(names) != 1 or operation.path.startswith(("/api/v1/telescopes/", "/api/v1/observatories/")):
                continue  # public, or named inside something private
            for key in _keys(operation.path):
                known = str(house.there[key])
                other = UNKNOWN.get(known, str(UNKNOWN_ID))
                query = f"?{urlencode(beside(operation, house))}" if operation.name in BESIDE else ""
                one, two = (
                    _call(client, operation, operation.path.replace(f"{{{names[0]}}}", value) + query, house)
                    for value in (known, other)
                )
                assert plain(one, known, other) == plain(two, known, other), (operation.name, key)
                assert one.status_code in (401, 403, 404), (operation.name, one.status_code)
                compared += 1
    assert compared > 80


def _keys(path: str) -> list[str]:
    room = path.removeprefix("/api/v1/").partition("/")[0]
    room = f"{room[:-3]}y" if room.endswith("ies") else room.removesuffix("s")
    return [next(iter(row.values())) for row in ROWS[room]]


def _call(client: Client, operation, path: str, house: House):
    if operation.method == "get":
        return client.get(path)
    return getattr(client, operation.method)(path, body_of(operation, house), content_type="application/json")


def body_of(operation, house: House) -> dict:
    """The documented example, about the house's own rows."""
    body = dict(operation.example or {})
    if "organisation" in operation.fields:  # else it would do something for the caller's own
        body["organisation"] = ""
    return {key: house.there[BODY[key]] if key in BODY else value for key, value in body.items()}


def test_nothing_of_another_organisation_can_be_changed(house):
    """Every operation that writes, on each private row, with the documented body about the other's rows."""
    for operation in operations():
        if operation.method != "get" and "requestBody" in operation.definition:
            assert operation.example, f"{operation.name} has no example of its body"
    tried = 0
    for who, client in callers(house).items():
        for operation in operations():
            if operation.method == "get":
                continue
            for path in _filled(operation, house):
                before = state_of_everything()
                answer = _call(client, operation, path, house)
                changed = {name for name, sum_ in state_of_everything().items() if before[name] != sum_}
                allowed = {"partners_partnertoken"}  # when it was last used
                assert answer.status_code in (400, 401, 403, 404, 409), f"{operation.name} {path} by {who}"
                assert changed <= allowed, f"{operation.name} {path} by {who} changed {changed}"
                sent = path + json.dumps(body_of(operation, house))
                assert leaks(answer, sent) == [], f"{operation.name} {path} by {who}"
                tried += 1
    assert tried > 80


def _filled(operation, house: House) -> list[str]:
    """The addresses of an operation, one for each private row."""
    first, *further = re.findall(r"\{(\w+)\}", operation.path) or [None]
    if first is None:
        return [operation.path]
    paths = [operation.path.replace(f"{{{first}}}", str(house.there[key])) for key in _keys(operation.path)]
    for name in further:
        paths = [path.replace(f"{{{name}}}", str(house.there[PARAMETERS[name]])) for path in paths]
    return paths


def test_naming_what_is_private_in_a_query_tells_nothing(house):
    """Each parameter that can name a row: the answer is the same as for one that does not exist."""
    asked = 0
    for client in callers(house).values():
        for operation in operations():
            if operation.method != "get" or "{" in operation.path:
                continue
            further = beside(operation, house)
            for parameter in set(operation.parameters("query")) & set(QUERY):
                for key in QUERY[parameter]:
                    if key in ("telescope", "lead"):
                        answer = client.get(operation.path, further | {parameter: house.there[key]})
                        assert leaks(answer, json.dumps(further)) == [], (operation.name, parameter)
                        continue
                    known = str(house.there[key])
                    other = UNKNOWN.get(known, str(UNKNOWN_ID))
                    one, two = (client.get(operation.path, further | {parameter: value}) for value in (known, other))
                    assert plain(one, known, other) == plain(two, known, other), (operation.name, parameter, key)
                    assert leaks(one, known) == [], (operation.name, parameter, known, one.content[:500])
                    asked += 1
    assert asked > 20


@pytest.mark.parametrize("address", ["/vo/objobs/query", "/vo/obsplan/"])
def test_the_virtual_observatory_tells_nothing_either(house, address):
    for client in callers(house).values():
        for known in (HIDDEN, "K31Q77X", "Sentinella"):
            one, two = (client.get(address, {"TARGET": text}) for text in (known, UNKNOWN[known]))
            assert plain(one, known, UNKNOWN[known]) == plain(two, known, UNKNOWN[known])
        everything = client.get(
            address, {"TIME": "0/99999", "POS": "77.7,0"} if "objobs" in address else {"TIME": "0/99999"}
        )
        assert leaks(everything, "") == [], everything.content[:3000]


def test_unknown_query_parameters_are_refused_everywhere(house):
    """With every method, by who may do it; the known ones are named."""
    insider = client_with(house.insider)
    client = Client()
    client.force_login(house.world.lead)
    for name, pattern, parameters in addresses():
        address = reverse(name, kwargs=house.paths(name, parameters)[0])
        if address.startswith("/api/") and hasattr(pattern.callback, "cls"):  # the others are pages
            for who in (insider, client):
                answer = who.get(f"{address}?nonsense=1")
                if answer.status_code not in (403, 405):  # for people only; it only writes
                    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "nonsense"), address
                    assert "format" in answer.json()["errors"][0]["detail"]
    for operation in operations():
        before = state_of_everything()
        for path in _filled(operation, house):
            answer = _call(client, operation, f"{path}?nonsense=1", house)
            assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "nonsense"), operation.name
        assert state_of_everything() == before


def test_designations_that_are_like_a_hidden_one_are_told_without_it(house):
    near = Target.objects.create(designation="2031 QX79")
    Designation.objects.create(target=near, text="2031 QX79", key=key_of("2031 QX79"), kind="provisional")
    for client in callers(house).values():
        problem = client.get("/api/v1/targets/2031 QX7/").json()
        assert problem["nearest"] == ["2031 QX79"]
