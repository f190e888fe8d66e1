"""Pages in French, complete; programs are spoken to in English whatever they ask for."""

import re
from html import unescape

import pytest
from babel.messages import mofile, pofile
from django.utils import translation

from coordination.booking.services import rules
from coordination.common.problems import DomainError
from coordination.visibility.models import VisibilityWindow
from coordination.web import refusals
from coordination.web.labels import labels
from coordination.web.management.commands import messages

FRENCH = {"HTTP_ACCEPT_LANGUAGE": "fr-CH, fr;q=0.9, en;q=0.8"}
WORD = re.compile(r"[A-Za-z]{3,}")


@pytest.fixture(scope="module")
def catalogue_fr():
    with messages.catalogue_path("fr", "po").open("rb") as file:
        return pofile.read_po(file, locale="fr", domain="django")


def first(message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def test_every_string_of_a_page_has_its_french_and_nothing_is_guessed(catalogue_fr):
    wanted = {each if isinstance(each, str) else each[0] for each in messages.messages()}
    assert len(wanted) > 400
    known = {first(each): each for each in catalogue_fr if each.id}
    assert set(known) == wanted  # else: python3 dev.py manage messages
    for message in known.values():
        texts = message.string if isinstance(message.string, tuple) else (message.string,)
        assert all(texts), message.id
        assert not message.fuzzy, message.id
        parts = sorted(re.findall(r"%\(\w+\)", first(message)))
        assert all(sorted(re.findall(r"%\(\w+\)", text)) == parts for text in texts), message.id


def test_the_compiled_catalogue_is_that_of_the_source(catalogue_fr):
    with messages.catalogue_path("fr", "mo").open("rb") as file:
        compiled = mofile.read_mo(file)

    def all_of(catalogue) -> dict:
        texts = {first(each): each.string for each in catalogue if each.id}
        return {name: tuple(text) if isinstance(text, list) else text for name, text in texts.items()}

    assert all_of(compiled) == all_of(catalogue_fr)


def english_in(page: str, catalogue) -> list[str]:
    """Sentences of the templates that stand in a page as they are."""
    seen = unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "\n", page)))
    lines = {line.strip() for line in re.split(r"[\n·;]", seen)}
    attributes = set(re.findall(r'(?:aria-label|title|placeholder|data-label)="([^"]+)"', page))
    found = []
    for message in catalogue:
        text = first(message)
        french = message.string[0] if isinstance(message.string, tuple) else message.string
        if not text or french == text or not WORD.search(text):
            continue
        pattern = re.compile(re.sub(r"%\\\(\w+\\\)[.\d]*[sdf]", ".+?", re.escape(text.replace("%%", "%"))))
        if any(pattern.fullmatch(unescape(line)) for line in lines | attributes):
            found.append(text)
    return found


def test_french_pages_hold_no_english_of_the_templates(client, windows, catalogue_fr):
    from tests.coordination.booking.conftest import make_world

    world = make_world()
    world.claim("chile")
    telescope = VisibilityWindow.objects.filter(target=windows["Ivar"]).values_list("telescope", flat=True)[0]
    for address in (
        "/", "/targets/", "/targets/1627/", f"/targets/1627/?telescope={telescope}", "/campaigns/",
        f"/campaigns/{world.campaign.slug}/", "/observatories/", f"/telescopes/{telescope}/", "/nowhere/", "/sign-in/",
    ):  # fmt: skip
        page = client.get(address, **FRENCH)
        assert '<html lang="fr"' in page.text
        assert page["Content-Language"] == "fr"
        assert english_in(page.text, catalogue_fr) == [], address
        english = client.get(address)
        assert '<html lang="en"' in english.text
        assert english_in(english.text, catalogue_fr) != []  # that the test would see it


def test_dates_and_numbers_are_the_same_in_both_languages(client, windows):
    page = client.get("/targets/1627/", **FRENCH).text
    english = client.get("/targets/1627/").text
    written = re.compile(r"\d{4}-\d\d-\d\d \d\d:00")  # not the moment of the request
    assert written.findall(page)
    assert set(written.findall(page)) == set(written.findall(english))
    assert not re.search(r"\d,\d", re.sub(r"<svg.*?</svg>", "", page, flags=re.DOTALL))


def test_the_choice_of_language_is_remembered_and_one_comes_back(client, db):
    answer = client.post("/language/", {"language": "fr", "next": "/campaigns/?q=x"})
    assert answer["Location"] == "/campaigns/?q=x"
    assert '<html lang="fr"' in client.get("/", HTTP_ACCEPT_LANGUAGE="en").text
    assert client.post("/language/", {"language": "en", "next": "//elsewhere.example/"})["Location"] == "/"
    client.post("/language/", {"language": "tlh"})
    assert '<html lang="en"' in client.get("/", **FRENCH).text
    assert client.get("/language/").status_code == 405


def test_programs_and_the_administration_are_spoken_to_in_english(client, db, admin_client):
    asked = ("/api/v1/targets/nothing/", "/api/v1/targets/?limit=x", "/api/v1/nowhere/", "/vo/objobs/query")
    for address in asked:
        plain, french = client.get(address), client.get(address, **FRENCH)
        assert french.content.replace(b"0Z", b"") == plain.content.replace(b"0Z", b"")
        assert french.headers.get("Content-Language") == plain.headers.get("Content-Language")
    refused = [
        client.post("/api/v1/slots/1/claims/", {}, content_type="application/json", **each) for each in ({}, FRENCH)
    ]
    assert refused[0].content == refused[1].content
    plain = client.get("/api/v1/targets/nothing/").json()
    client.cookies["django_language"] = "fr"
    assert client.get("/api/v1/targets/nothing/").json() == plain
    assert '<html lang="en' in admin_client.get("/admin/", **FRENCH).text
    assert '<html lang="fr"' in client.get("/admin/login/", **FRENCH).text  # the sign-in page


def test_a_request_leaves_the_language_of_the_thread_as_it_was(client, db):
    client.get("/", **FRENCH)
    assert translation.get_language() == "en"


def test_refusals_of_a_claim_are_told_in_french(world, signed_in):
    world.claim("chile")
    form = {"slot": world.slot.pk, "organisation": "chile", "seat": f"seat-{world.seats['chile'].pk}"}
    page = signed_in(world.people["chile"]).post(f"/campaigns/{world.campaign.slug}/", form, **FRENCH)
    assert page.status_code == 409
    assert "Non pris." in page.text
    assert re.search(r"1 m at chile : réservé de \d{4}-\d\d-\d\dT", page.text)
    assert "1 sites sur 2" in page.text


def test_what_the_rules_of_claiming_say_is_known(world):
    world.slot.capacity = 2
    seat, telescope = world.seats["chile"], world.telescopes["chile"]
    said: list[DomainError | None] = [
        rules.full(world.slot, 2, 1),
        rules.not_joined(),
        rules.no_window(telescope),
        rules.not_yours(world.slot, seat, telescope, 0, []),
        rules.too_many_hours(1.0, 0.5, 1.0, "campaign"),
        rules.no_longer(world.slot, world.slot.claim_deadline),
    ]
    world.slot.state = "expired"
    said.append(rules.no_longer(world.slot, world.slot.claim_deadline))
    with translation.override("fr"):
        for refusal in said:
            assert refusal is not None
            assert refusals.in_words(refusal.detail) != refusal.detail
            assert not refusal.expected or refusals.in_words(refusal.expected) != refusal.expected
        assert refusals.in_words("something that nobody foresaw") == "something that nobody foresaw"
        assert refusals.in_words("1 of 3 sites; longitude spread 10 of 90 deg").startswith("1 sites sur 3; étendue")
    assert refusals.in_words(said[0].detail) == said[0].detail


def test_labels_are_short_words():
    assert {"open", "held", "confirmed", "blocked", "in progress", "hour angle", "good"} <= labels()
