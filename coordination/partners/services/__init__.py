"""All writes of the room: notices and preferences, tokens, webhooks and what is delivered to them."""

from .delivering import deliver_to, prepare_deliveries, queue_due, remove_old_deliveries
from .mail import send_due_mail, send_mail_of
from .notices import mark_all_read, mark_read, notice_people, notices_concerned, remove_old_notices, repoint_notices
from .preferences import preference_of, set_preference
from .tokens import create_token, recognise, revoke_token, rotate_token
from .webhooks import (
    create_webhook,
    delete_webhook,
    pause_webhook,
    ping_webhook,
    renew_secret,
    resume_webhook,
    update_webhook,
)

__all__ = [
    "create_token",
    "create_webhook",
    "delete_webhook",
    "deliver_to",
    "mark_all_read",
    "mark_read",
    "notice_people",
    "notices_concerned",
    "pause_webhook",
    "ping_webhook",
    "preference_of",
    "prepare_deliveries",
    "queue_due",
    "recognise",
    "remove_old_deliveries",
    "remove_old_notices",
    "renew_secret",
    "repoint_notices",
    "resume_webhook",
    "revoke_token",
    "rotate_token",
    "send_due_mail",
    "send_mail_of",
    "set_preference",
    "update_webhook",
]
