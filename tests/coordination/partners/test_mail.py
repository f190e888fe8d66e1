"""Notices by e-mail, through a real SMTP server."""

import base64
import datetime as dt
import threading
from urllib.parse import quote

import pytest
import time_machine
from django.db import connection

from coordination.partners import tasks
from coordination.partners.models import Notice
from coordination.partners.services import mail, send_due_mail, send_mail_of, set_preference
from observatories.models import User
from targets.models import Target

pytestmark = pytest.mark.django_db(transaction=True)

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def swept(monkeypatch):
    """The sweeper's tasks run at once, in place of a broker and a worker."""
    monkeypatch.setattr(tasks.send_mail, "apply_async", lambda arguments, **_: send_mail_of(*arguments))


@pytest.fixture
def now():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def states() -> list[str]:
    return list(Notice.objects.order_by("pk").values_list("mail", flat=True))


def recipients(smtp) -> list[str]:
    return sorted(message["To"] for message in smtp.mails)


def test_a_notice_comes_at_once_unless_otherwise_wanted(people, tell, smtp, target):
    tell(people.beta, target=target, path="/admin/booking/slot/1/")
    assert recipients(smtp) == ["ada@example.org", "cat@example.org"]
    message = smtp.mails[0]
    assert message["Subject"] == "[NEO Coordination] Slot confirmed: 2024 YR4"
    assert message["From"] == "NEO Coordination <neo@example.org>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content().splitlines()[1:3] == [
        "2024 YR4 is on.",
        "https://neo.example.org/admin/booking/slot/1/",
    ]
    assert states() == ["sent", "sent"]


def test_who_did_it_and_who_has_no_address_get_no_mail(people, tell, smtp):
    User.objects.filter(pk=people.cat.pk).update(email="")
    tell(people.alpha, people.beta, actor=people.ada)
    assert recipients(smtp) == ["ben@example.org"]


def test_without_a_mail_server_nobody_waits_for_mail(people, tell, settings):
    settings.EMAIL_URL = ""
    tell(people.alpha)
    assert states() == ["none", "none"]


def test_nothing_is_mailed_to_who_wants_none(people, tell, smtp):
    set_preference(people.ada, email="off")
    tell(people.beta)
    assert recipients(smtp) == ["cat@example.org"]


def test_a_day_comes_in_one_mail_at_the_hour_chosen(people, tell, smtp, now, target):
    set_preference(people.ben, email="daily", daily_hour_utc=6)
    set_preference(people.ada, email="off")
    tell(people.alpha, title="first")
    tell(people.alpha, title="second: {target}", target=target)
    now.move_to(NOW.replace(day=25, hour=5, minute=59))
    assert send_due_mail() == []
    now.move_to(NOW.replace(day=25, hour=6, minute=0))
    assert send_due_mail() == [people.ben.pk]
    (message,) = smtp.mails
    assert message["Subject"] == "[NEO Coordination] 2 notices"
    text = message.get_content()
    assert text.index("first") < text.index("second: 2024 YR4")
    now.shift(dt.timedelta(days=1))
    assert send_due_mail() == [], "nothing new, no mail"
    assert len(smtp.raw) == 1


def test_a_new_preference_holds_for_what_is_not_sent_yet(people, tell, smtp, now):
    for user in (people.ada, people.ben):
        set_preference(user, email="daily")
    tell(people.alpha)
    set_preference(people.ada, email="at_once")
    set_preference(people.ben, email="off")
    send_due_mail()
    assert recipients(smtp) == ["ada@example.org"]
    now.shift(dt.timedelta(days=2))
    assert send_due_mail() == []


def test_a_server_that_is_down_is_tried_again_until_it_is_up(people, tell, smtp, now):
    smtp.stop()
    tell(people.beta)
    assert set(states()) == {"failed"}
    assert "ConnectionRefusedError" in Notice.objects.first().mail_error
    assert send_due_mail() == [], "not before its pause is over"
    now.shift(mail.PAUSES[0])
    send_due_mail()
    assert set(Notice.objects.values_list("mail", "mail_attempts")) == {("failed", 2)}
    smtp.start()
    now.shift(mail.PAUSES[1])
    send_due_mail()
    assert recipients(smtp) == ["ada@example.org", "cat@example.org"]
    assert set(Notice.objects.values_list("mail", "mail_error")) == {("sent", "")}


def test_a_mail_is_given_up_after_a_day_of_growing_pauses(people, tell, smtp, now):
    smtp.refusal = "550 no such person"
    tell(people.beta)
    attempts = 1
    while "failed" in states():
        now.move_to(Notice.objects.get(user=people.cat).mail_due_at)
        send_due_mail()
        attempts += 1
        assert attempts < 50
    notice = Notice.objects.get(user=people.cat)
    assert (notice.mail, notice.mail_attempts) == ("given_up", attempts)
    assert "no such person" in notice.mail_error
    assert dt.timedelta(hours=24) <= sum(mail.PAUSES, dt.timedelta()) < dt.timedelta(hours=25)
    assert sorted(mail.PAUSES) == mail.PAUSES


def test_a_copy_after_a_crash_has_the_message_id_of_the_first(people, tell, smtp, monkeypatch):
    set_preference(people.ada, email="off")
    tell(people.beta)
    Notice.objects.filter(user=people.cat).update(mail="pending", mail_due_at=NOW)  # as if it had not been marked
    send_mail_of(people.cat.pk)
    tell(people.beta)
    first, copy, another = (message["Message-ID"] for message in smtp.mails)
    assert first == copy != another
    assert first.endswith("@example.org>")


def test_two_workers_do_not_send_one_mail_twice(people, tell, smtp, monkeypatch):
    set_preference(people.cat, email="daily")
    set_preference(people.ada, email="off")
    tell(people.beta)
    Notice.objects.filter(user=people.cat).update(mail_due_at=NOW - dt.timedelta(days=1))
    sending, go_on = threading.Event(), threading.Event()
    compose = mail.message_to

    def compose_slowly(*arguments):
        sending.set()
        assert go_on.wait(60)
        return compose(*arguments)

    monkeypatch.setattr(mail, "message_to", compose_slowly)

    def send():
        try:
            send_mail_of(people.cat.pk)
        finally:
            connection.close()

    slow = threading.Thread(target=send)
    slow.start()
    assert sending.wait(60)
    assert send_mail_of(people.cat.pk) == 0
    go_on.set()
    slow.join(60)
    assert recipients(smtp) == ["cat@example.org"]


def holds(raw: bytes, message, name: str) -> bool:
    """Whether a mail holds a name anywhere, header and body, as it is or encoded."""
    decoded = "\n".join(f"{header}: {value}" for header, value in message.items()) + message.get_content()
    # Base64 shows a text in three ways, by where it begins; the letters at its ends depend on the neighbours.
    forms = {base64.b64encode(b"x" * shift + name.encode())[4 if shift else 0 : -4] for shift in range(3)}
    forms |= {name.encode(), name.replace(" ", "=20").encode(), name.replace(" ", "_").encode(), quote(name).encode()}
    joined = raw.replace(b"=\r\n", b"").replace(b"\r\n", b"")
    return name in decoded or any(form in joined for form in forms)


@pytest.mark.parametrize("choice", ["at_once", "daily"])
@pytest.mark.parametrize("visibility", ["public", "signed_in", "campaign"])
def test_a_designation_is_in_a_mail_only_if_it_is_public(people, tell, smtp, now, choice, visibility):
    target = Target.objects.create(designation="2031 QX77", name="Geheimnis", visibility=visibility)
    User.objects.filter(pk=people.cat.pk).update(is_superuser=True)  # whoever reads it
    set_preference(people.ada, email="off")
    set_preference(people.cat, email=choice)
    tell(people.beta, target=target, text="Ã {target} – {target}", title="Größe: {target}")
    now.shift(dt.timedelta(days=1))
    send_due_mail()
    (raw,), (message,) = smtp.raw, smtp.mails
    for name in ("2031 QX77", "Geheimnis"):
        assert holds(raw, message, name) == (visibility == "public")
    hidden = "Größe: a confidential target" in message["Subject"] + message.get_content()
    assert hidden == ("Sign in to see" in message.get_content()) == (visibility != "public")


def test_a_designation_that_somebody_typed_is_taken_out_too(people, tell, smtp):
    """A campaign may be called after its target."""
    secret = Target.objects.create(designation="2031 QX77", visibility="campaign")
    for text, kind in (("2031 QX77", "provisional"), ("P21xyz9", "temporary"), ("Geheimnis", "name")):
        secret.designations.create(text=text, key=text.upper().replace(" ", ""), kind=kind)
    tell(people.beta, title="Campaign opened: 2031QX77 (P21XYZ9)", text="Geheimnis,\n2031  QX77; not 12031 QX778")
    message = smtp.mails[0]
    assert message["Subject"] == "[NEO Coordination] Campaign opened: a confidential target (a confidential target)"
    told = message.get_content().splitlines()
    assert told[1:3] == ["a confidential target,", "a confidential target; not 12031 QX778"]


def test_a_title_cannot_add_headers(people, tell, smtp):
    tell(people.beta, title="Confirmed\r\nBcc: thief@example.org\r\n\r\nbody")
    for message in smtp.mails:
        assert message["Subject"] == "[NEO Coordination] Confirmed Bcc: thief@example.org body"
        assert message["Bcc"] is None


def test_a_title_is_no_format_string(people, tell, smtp, target):
    tell(people.beta, title="{0} {target.__class__} {{target}} %s", target=target)
    assert smtp.mails[0]["Subject"] == "[NEO Coordination] {0} {target.__class__} {2024 YR4} %s"
