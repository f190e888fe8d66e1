"""The examples of the OpenAPI document are what the service answers: recorded from a campaign that is run through the
API here. After a change: `NEO_RECORD=1 python3 dev.py test tests/api/test_examples.py` writes them anew.
"""

import datetime as dt
import json
import os
import re

import jsonschema_rs
import pytest
import time_machine
from django.core.cache import cache
from django.test import Client

from coordination.api_document import EXAMPLES, PROMISE
from coordination.booking.services import advance_slots
from coordination.common import following
from coordination.visibility import computations, planning
from coordination.visibility.models import Chunk, ComputationPart
from observatories.models import Membership, Organisation, User
from tests.coordination.booking.conftest import make_organisation
from tests.network import catalogue, network, well_placed

from . import document as the_document

__all__ = ["catalogue", "network", "well_placed"]
NOW = dt.datetime(2027, 1, 30, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
DRY_RUN = {"dry_run": "true"}
MOST = 2  # elements of a list in an example
RECORD = bool(os.environ.get("NEO_RECORD"))


def instant(moment: dt.datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


class Recorder:
    """Calls operations by name as a manager of an organisation; keeps what was sent and answered first."""

    def __init__(self, document) -> None:
        self.kept: dict[str, dict] = {}
        self.address = {
            operation["operationId"]: (method, path)
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
        }

    def tables(self, name: str, who: str, /, query, **parameters) -> None:
        """The same as CSV and VOTable."""
        _, path = self.address[name]
        client = Client()
        client.force_login(User.objects.get(username=who))
        for form in ("csv", "votable"):
            answer = client.get(path.format(**parameters), {**query, "format": form})
            assert answer.status_code == 200, name
            text = b"".join(answer.streaming_content).decode()
            media_type = answer["Content-Type"].partition(";")[0]
            self.kept[name].setdefault("tables", {})[media_type] = shortened_table(text, form)

    def __call__(self, name: str, who: str, /, body=None, query=None, **parameters):
        method, path = self.address[name]
        for key, value in parameters.items():
            path = path.replace(f"{{{key}}}", str(value))
        client = Client()
        client.force_login(User.objects.get(username=who))
        if method == "get":
            answer = client.get(path, query or {})
        else:
            sent = {} if body is None else body
            answer = getattr(client, method)(path, sent, content_type="application/json", query_params=query)
        assert answer.status_code < 300, f"{name}: {answer.content[:600]!r}"
        told = answer.json() if answer.content else None
        kept = self.kept.setdefault(name, {"answers": {}})
        if body:
            kept.setdefault("body", body)
        if told is not None:
            kept["answers"].setdefault(str(answer.status_code), shortened(told))
        return told


def shortened(value, key: str = ""):
    if isinstance(value, dict):
        return {name: shortened(each, name) for name, each in value.items()}
    if isinstance(value, list):
        return [shortened(each) for each in value[:MOST]]
    if key == "next" and value:
        return re.sub("^http://testserver", "https://neo.example.org", value)
    if key == "secret":
        return "whsec_3q2-7wMKpLr0Yx8dVbN5tGhJ1sQe4uZcAoIfXmRyTkE"
    return value


def shortened_table(text: str, form: str) -> str:
    if form == "csv":
        return "".join(text.splitlines(keepends=True)[: MOST + 1])
    row = r"<TR>.*?</TR>\s*"
    return re.sub(f"((?:{row}){{{MOST}}})(?:{row})+", r"\1", text, flags=re.DOTALL)


@pytest.fixture
def document():
    return the_document.document()


@pytest.fixture
def recorded(document, catalogue, network, settings, monkeypatch):
    """All operations of the document, called one after the other."""
    settings.PLANNING_HORIZON_NIGHTS = 3
    monkeypatch.setattr("coordination.visibility.tasks.compute_chunk.delay", lambda chunk_id: None)
    monkeypatch.setattr("coordination.visibility.tasks.compute_part.delay_on_commit", lambda part_id: None)
    cache.clear()
    for telescope in network[:4]:
        telescope.organisation, person = make_organisation(telescope.name[-3:].lower())
        telescope.save()
        Membership.objects.filter(user=person).update(role=Membership.Role.MANAGER)
    call = Recorder(document)
    with time_machine.travel(NOW, tick=False):
        planning.plan()
        for chunk_id in Chunk.objects.values_list("pk", flat=True):
            planning.run_chunk(chunk_id)
        read_what_is_public(call, network)
        windows_on_demand(call, network)
        own_things(call, network)
        campaign, slot = a_campaign(call)
        drafts_and_changes(call, campaign, slot)
        what_one_is_told(call)
    with time_machine.travel(dt.datetime.fromisoformat(slot["ends_at"]) - HOUR / 60, tick=False):
        advance_slots()
        (booking,) = call("bookings_list", slot["mine"], query={"state": "confirmed", "limit": 1})["results"]
        call("bookings_retrieve", slot["mine"], id=booking["id"])
        call("bookings_result", slot["mine"], {"result": "observed", "note": "as planned"}, id=booking["id"])
    with time_machine.travel(dt.datetime.fromisoformat(slot["ends_at"]) + HOUR, tick=False):
        call("slots_complete", "w84", id=slot["id"])
        call("campaigns_close", "w84", slug=campaign)
        call("campaigns_complete", "w84", slug=campaign)
    return call.kept


def read_what_is_public(call, network) -> None:
    telescopes = ",".join(str(telescope.pk) for telescope in network)
    first = network[0].pk
    call("observatories_list", "w84", query={"has_telescopes": "true", "limit": 2})
    call("observatories_retrieve", "w84", id=network[0].observatory_id)
    call("telescopes_list", "w84", query={"limit": 2})
    call("telescopes_retrieve", "w84", id=first)
    call("telescopes_occupied", "w84", id=first)
    call("telescopes_free", "w84", id=first, query={"minutes": 30, "before": instant(NOW + 72 * HOUR)})
    call("targets_list", "w84", query={"limit": 2})
    call("targets_retrieve", "w84", designation="Ganymed")
    three = {"site": "W84", "start": instant(NOW), "stop": instant(NOW + 2 * HOUR), "step": "1h"}
    call("targets_ephemeris", "w84", designation="Ganymed", query={**three, "uncertainty": "true"})
    call.tables("targets_ephemeris", "w84", three, designation="Ganymed")
    call("windows_list", "w84", query={"target": "Ganymed", "limit": 2})
    call.tables("windows_list", "w84", {"target": "Ganymed"})
    call("windows_explain", "w84", query={"target": "Alinda", "telescope": first, "night": "2027-01-30"})
    call("priorities_retrieve", "w84", query={"night": f"{NOW:%Y-%m-%d}", "telescope": first, "limit": 1})
    span = {"after": instant(NOW), "before": instant(NOW + 24 * HOUR)}
    call("windows_joint", "w84", query={"target": "Ganymed", "telescopes": telescopes, **span})
    call("windows_last_chance", "w84", query={"target": "Ganymed", "telescopes": telescopes, **span})


def windows_on_demand(call, network) -> None:
    span = {"after": instant(NOW), "before": instant(NOW + 48 * HOUR)}
    site = {"name": "a ridge", "longitude_deg": -70.6, "latitude_deg": -30.2, "height_m": 2700}
    asked = {"targets": ["Ganymed"], "telescopes": [network[0].pk], "sites": [site], **span}
    asked["limits"] = {"altitude_min_deg": 25}
    call("window_computations_create", "w84", asked)
    made = call("window_computations_create", "w84", {**asked, "as_job": True})
    for pk in ComputationPart.objects.values_list("pk", flat=True):
        computations.run_part(pk)
    call("window_computations_list", "w84")
    call("window_computations_retrieve", "w84", id=made["id"])
    call("window_computations_windows_list", "w84", id=made["id"], query={"limit": 2})
    call.tables("window_computations_windows_list", "w84", {}, id=made["id"])
    again = call("window_computations_create", "w84", {**asked, "as_job": True})
    call("window_computations_cancel", "w84", id=again["id"])


def own_things(call, network) -> None:
    telescope = network[0].pk
    at = NOW + 40 * HOUR
    span = {"starts_at": instant(at), "ends_at": instant(at + 2 * HOUR)}
    closure = call("closures_create", "w84", {"telescope": telescope, **span, "reason": "mirror coating"})
    call("closures_list", "w84")
    call("closures_retrieve", "w84", id=closure["id"])
    call("closures_destroy", "w84", id=closure["id"])
    grant = call("grants_create", "w84", {"telescope": telescope, "organisation": "j04", **span})
    call("grants_list", "w84")
    call("grants_retrieve", "w84", id=grant["id"])
    call("grants_destroy", "w84", id=grant["id"])
    period = {"observe_from": instant(at), "observe_until": instant(at + HOUR)}
    wanted = {"telescope": telescope, **period, "purpose": "photometric standards", "hold": True}
    call("bookings_create", "w84", wanted, DRY_RUN)
    booking = call("bookings_create", "w84", wanted)
    call("bookings_confirm", "w84", id=booking["id"])
    later = {"observe_from": instant(at + HOUR), "observe_until": instant(at + 2 * HOUR)}
    call("bookings_move", "w84", later, id=booking["id"])
    call("bookings_release", "w84", {"reason": "clouds"}, id=booking["id"])
    webhook = call("webhooks_create", "w84", {"url": "https://8.8.8.8/neo", "kinds": ["slot", "claim.confirmed"]})
    at = {"id": webhook["id"]}
    call("webhooks_list", "w84")
    call("webhooks_retrieve", "w84", **at)
    call("webhooks_partial_update", "w84", {"kinds": ["slot", "claim"]}, **at)
    for name in ("ping", "deliveries_list", "pause", "resume", "renew_secret"):
        call(f"webhooks_{name}", "w84", **at)
    call("webhooks_destroy", "w84", **at)


def a_campaign(call) -> tuple[str, dict]:
    """The short name of a campaign that runs, and a slot that is confirmed; `mine`: who holds a seat of it."""
    span = {"starts_at": instant(NOW), "ends_at": instant(NOW + 144 * HOUR)}
    about = {"title": "Distance of Ganymed", "aim": "Its distance, from three continents at once.", "kind": "ranging"}
    made = call("campaigns_create", "w84", {**about, "slug": "ganymed-2027", "lead_organisation": "w84", **span})
    slug = made["slug"]
    call("campaigns_partial_update", "w84", {"observation_count": 2, "filters": "R"}, slug=slug)
    for other in ("j04", "q63", "327"):
        call("campaigns_invitations_create", "w84", {"organisation": other, "hour_limit_h": 12}, slug=slug)
        call("campaigns_answer", other, {"organisation": other, "join": True}, slug=slug)
    call("campaigns_targets_create", "w84", {"designation": "Ganymed"}, slug=slug)
    call("campaigns_open", "w84", slug=slug)
    call("campaigns_list", "w84")
    call("campaigns_retrieve", "w84", slug=slug)
    call("campaigns_propose_slots", "w84", {"target": "1036", "count": 1}, DRY_RUN, slug=slug)
    (slot,) = call("campaigns_propose_slots", "w84", {"target": "1036", "count": 1}, slug=slug)["slots"]
    call("slots_publish", "w84", id=slot["id"])
    call("slots_list", "j04", query={"claimable": "true"})
    seats = {seat["telescope"]["organisation"]: seat["id"] for seat in slot["seats"]}
    first, second = list(seats)[:2]
    call("claims_create", first, {"slot": slot["id"], "seats": [seats[first]], "note": "clear skies"}, DRY_RUN)
    held = call("claims_create", first, {"slot": slot["id"], "seats": [seats[first]], "note": "clear skies"})
    call("claims_withdraw", first, {"reason": "clouds"}, id=held["id"])
    for slug_ in (first, second):
        held = call("claims_create", slug_, {"slot": slot["id"], "seats": [seats[slug_]]})
    call("claims_list", second)
    call("claims_retrieve", second, id=held["id"])
    call("slots_retrieve", second, id=slot["id"])
    call("slots_propose_shift", "w84", {"shift_s": 60}, id=slot["id"])
    call("claims_accept_shift", second, id=held["id"])
    call("slots_dismiss_review", "w84", id=slot["id"])
    return slug, slot | {"mine": first}


def drafts_and_changes(call, campaign: str, slot: dict) -> None:
    room = slot["room"]
    span = {"starts_at": slot["starts_at"], "ends_at": slot["ends_at"]}
    assert room
    draft = call("slots_create", "w84", {"campaign": campaign, "target": "Ganymed", **span, "kind": "listed"})
    call("slots_partial_update", "w84", {"notes": "the Moon is close"}, id=draft["id"])
    call("slots_seats_destroy", "w84", id=draft["id"], seat=draft["seats"][0]["id"])
    call("slots_cancel", "w84", {"reason": "the other one is confirmed"}, id=draft["id"])
    span = {"starts_at": instant(NOW), "ends_at": instant(NOW + 48 * HOUR)}
    about = {"title": "Confirm Ivar", "slug": "ivar", "aim": "Confirm it.", "kind": "rapid_response"}
    call("campaigns_create", "w84", {**about, "lead_organisation": "w84", **span})
    call("campaigns_targets_create", "w84", {"designation": "Ganymed"}, slug="ivar")
    call("campaigns_open", "w84", slug="ivar")
    call("campaigns_rapid_response", "w84", {"hours": 24}, slug="ivar")
    call("campaigns_targets_destroy", "w84", slug="ivar", designation="Ganymed")
    call("campaigns_cancel", "w84", {"reason": "it is confirmed"}, slug="ivar")


def what_one_is_told(call) -> None:
    following.follow("notices")
    call("events_list", "j04", query={"kind": "slot,claim", "limit": 2})
    (notice, *_) = call("notices_list", "j04", query={"unread": "true"})["results"]
    call("notices_read", "j04", id=notice["id"])
    call("notices_read_all", "j04")
    call("me_retrieve", "j04")
    call("me_preferences_retrieve", "j04")
    call("me_preferences_partial_update", "j04", {"email": "daily", "daily_hour_utc": 7})


def shape(value):
    """Names and types, without what may be null or empty."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    if isinstance(value, list):
        return "list"
    return "value"


def test_the_examples_are_what_the_service_answers(recorded, document):
    names = {operation["operationId"] for methods in document["paths"].values() for operation in methods.values()}
    assert names - set(recorded) == set(), "call them here too"
    if RECORD:
        EXAMPLES.write_text(json.dumps(recorded, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
    kept = json.loads(EXAMPLES.read_text())
    for name, one in recorded.items():
        assert shape(one) == shape(kept[name]), f"{name} changed: record the examples anew"
    assert Organisation.objects.filter(slug="w84").exists()


def test_every_example_fits_its_schema_and_none_is_missing(document):
    missing, found = [], 0
    for methods in document["paths"].values():
        for operation in methods.values():
            parts = [operation["requestBody"]] if "requestBody" in operation else []
            parts += [one for status, one in operation["responses"].items() if status.startswith("2")]
            for content in (each for part in parts for each in part.get("content", {}).values()):
                if "examples" not in content:
                    missing.append(operation["operationId"])
                    continue
                schema = {"components": document["components"], **content["schema"]}
                for example in content["examples"].values():
                    jsonschema_rs.validator_for(schema, validate_formats=True).validate(example["value"])
                    found += 1
    assert missing == []
    assert found > 80


class TestDocument:
    def test_every_operation_says_what_it_does_and_who_may(self, document):
        for methods in document["paths"].values():
            for operation in methods.values():
                assert 5 < len(operation["summary"]) < 120
                assert len(operation["description"]) > len(operation["summary"])
                assert "scope" in operation["description"] or "people" in operation["description"]
                assert operation["security"]

    def test_links_lead_to_operations_that_are_there(self, document):
        operations = {o["operationId"]: o for methods in document["paths"].values() for o in methods.values()}
        assert len(operations) == sum(map(len, document["paths"].values()))  # names are unique
        created = operations["claims_create"]["responses"]["201"]["links"]
        assert {"claims_retrieve", "claims_withdraw", "claims_accept_shift"} == set(created)
        for operation in operations.values():
            for answer in operation["responses"].values():
                for link in answer.get("links", {}).values():
                    target = operations[link["operationId"]]
                    named = {each["name"] for each in target["parameters"] if each["in"] == "path"}
                    assert named == set(link["parameters"])

    def test_the_promise_is_in_the_document_and_in_the_documentation(self, document):
        assert PROMISE in document["info"]["description"]
        assert PROMISE in (EXAMPLES.parent.parent / "docs/api.md").read_text()
