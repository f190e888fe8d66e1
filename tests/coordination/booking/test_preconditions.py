"""A change is made only to what its caller has seen, and what the caller has is not sent again."""

import pytest
from django.test import Client

from coordination.booking import services
from coordination.partners.services import create_webhook
from observatories.models import Membership
from observatories.services import add_closure
from targets.models import Designation

from .conftest import HOUR, make_seats, make_slot

STALE = '"0123456789abcdef0123456789abcdef"'


@pytest.fixture
def call(world):
    """Calls by a manager of the organisation that leads the campaign."""
    Membership.objects.filter(user=world.lead).update(role="manager")
    client = Client()
    client.force_login(world.lead)

    def call(method, path, body=None, **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        further = {} if method in ("get", "head") else {"content_type": "application/json"}
        return getattr(client, method)(f"/api/v1/{path}", body or {}, headers=named, **further)

    return call


@pytest.fixture
def there(world):
    """One of everything that has an address of its own."""
    Designation.objects.create(target=world.target, text="2026 AB1", key="2026AB1", kind="provisional")
    chile, start = world.telescopes["chile"].pk, world.slot.starts_at + 5 * HOUR
    claim = world.claim("chile")
    booking = services.book_telescope(
        chile, observe_from=start, observe_until=start + HOUR, hold=True, actor=world.lead
    )
    closure = add_closure(telescope_id=chile, starts_at=start + 2 * HOUR, ends_at=start + 3 * HOUR, reason="mirror")
    grant = services.grant_telescope(chile, world.organisations["hawaii"].pk, starts_at=start, ends_at=start + HOUR)
    draft = make_slot(world.campaign, world.target, world.slot.starts_at + 9 * HOUR, state="draft")
    seats = make_seats(draft, world.telescopes)
    webhook = create_webhook(world.organisations["chile"].pk, url="https://8.8.8.8/neo")
    return {
        "slot": f"slots/{world.slot.pk}/", "draft": f"slots/{draft.pk}/", "claim": f"claims/{claim.pk}/",
        "booking": f"bookings/{booking.pk}/", "closure": f"closures/{closure.pk}/", "grant": f"grants/{grant.pk}/",
        "campaign": f"campaigns/{world.campaign.slug}/", "webhook": f"webhooks/{webhook.pk}/",
        "seat": seats["chile"].pk, "preferences": "me/preferences/",
    }  # fmt: skip


def changes(world, there):
    """Address of the object, and of every write to it: method, address and body."""
    until = (world.slot.claim_deadline + HOUR).isoformat()
    start = (world.slot.starts_at + 10 * HOUR).isoformat()
    end = (world.slot.starts_at + 11 * HOUR).isoformat()
    shift = ("post", "propose-shift/", {"shift_s": 60})
    named = [
        ("slot", [("patch", "", {"claim_deadline": until}), shift, ("post", "dismiss-review/", {}), shift]),
        ("claim", [("post", "accept-shift/", {}), ("post", "withdraw/", {})]),
        ("slot", [("post", "cancel/", {"reason": "clouds"})]),
        ("draft", [("delete", f"seats/{there['seat']}/", None), ("post", "publish/", {})]),
        (
            "booking",
            [
                ("post", "move/", {"observe_from": start, "observe_until": end}),
                ("post", "confirm/", {}),
                ("post", "release/", {}),
            ],
        ),
        ("closure", [("delete", "", None)]),
        ("grant", [("delete", "", None)]),
        ("webhook", [("patch", "", {"kinds": ["slot"]}), ("post", "pause/", {}), ("post", "resume/", {})]),
        ("webhook", [("post", "ping/", {}), ("post", "renew-secret/", {}), ("delete", "", None)]),
        ("campaign", [("patch", "", {"aim": "better"}), ("post", "targets/", {"designation": "2026 AB1"})]),
        ("campaign", [("post", "close/", {}), ("post", "open/", {}), ("post", "cancel/", {"reason": "enough"})]),
        ("preferences", [("patch", "", {"email": "off"})]),
    ]
    return [(there[name], method, there[name] + rest, body) for name, each in named for method, rest, body in each]


def test_every_change_of_one_object_asks_what_its_caller_has_seen(world, there, call):
    for address, method, path, body in changes(world, there):
        seen = call("get", address)
        assert seen.status_code == 200, address
        refused = call(method, path, body, If_Match=STALE)
        assert refused.status_code == 412, (method, path, refused.content)
        assert refused.json()["type"] == "urn:neo-coordination:problem:precondition-failed"
        assert refused["ETag"] == refused.json()["etag"] == seen["ETag"]
        assert call("get", address)["ETag"] == seen["ETag"], (method, path)  # nothing was changed
        done = call(method, path, body, If_Match=f"{STALE}, {seen['ETag']}")
        assert done.status_code < 300, (method, path, done.content)
        after = call("get", address)
        if after.status_code == 200 and "ETag" in done:
            assert done["ETag"] == after["ETag"], (method, path)


def test_a_star_stands_for_whatever_is_there(world, there, call):
    assert call("patch", there["campaign"], {"aim": "better"}, If_Match="*").status_code == 200
    assert call("patch", "slots/999999/", {"notes": "x"}, If_Match="*").status_code == 404


def test_what_is_no_change_of_one_object_has_no_version_to_ask_for(world, there, call):
    for path in ("claims/", "campaigns/", f"{there['campaign']}answer/", "notices/read-all/"):
        answer = call("post", path, {}, If_Match="*")
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "If-Match"), path


def test_somebody_elses_change_in_between_is_not_overwritten(world, there, call):
    seen = call("get", there["slot"])
    services.update_slot(world.slot.pk, notes="by somebody else")
    refused = call("patch", there["slot"], {"notes": "mine"}, If_Match=seen["ETag"])
    assert refused.status_code == 412
    assert world.reload().notes == "by somebody else"
    assert call("patch", there["slot"], {"notes": "mine"}, If_Match=refused["ETag"]).status_code == 200


def test_a_change_that_came_through_is_replayed_although_its_version_is_gone(world, there, call):
    seen = call("get", there["claim"])
    headers = {"If_Match": seen["ETag"], "Idempotency_Key": "k"}
    first = call("post", f"{there['claim']}withdraw/", {}, **headers)
    again = call("post", f"{there['claim']}withdraw/", {}, **headers)
    assert (first.status_code, again.status_code, again.content) == (200, 200, first.content)


def test_what_the_caller_has_is_not_sent_again(world, there, call):
    for path in (
        there["slot"],
        there["campaign"],
        "slots/",
        "claims/",
        "telescopes/",
        "targets/",
        "notices/",
        "events/",
    ):
        seen = call("get", path)
        same = call("get", path, If_None_Match=f'"x", W/{seen["ETag"]}')
        assert (same.status_code, same.content, same["ETag"]) == (304, b"", seen["ETag"]), path
        assert call("get", path, If_None_Match=STALE).status_code == 200
        assert seen["Cache-Control"] == "private, no-cache"
        assert {"Authorization", "Cookie"} <= {each.strip() for each in seen["Vary"].split(",")}
    services.update_slot(world.slot.pk, notes="new")
    slot = call("get", there["slot"])
    services.update_slot(world.slot.pk, notes="newer")
    assert call("get", there["slot"], If_None_Match=slot["ETag"]).status_code == 200


def test_what_is_public_may_be_kept_by_anybody(world):
    answer = Client().get("/api/v1/telescopes/")
    assert answer["Cache-Control"] == "public, no-cache"


def test_tags_differ_where_callers_see_different_things(world):
    world.claim("chile")
    path = f"/api/v1/slots/{world.slot.pk}/"
    client = Client()
    client.force_login(world.lead)
    assert client.get(path)["ETag"] != Client().get(path)["ETag"]
