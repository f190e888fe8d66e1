"""All writes to notices and preferences."""

from .mail import send_due_mail, send_mail_of
from .notices import drop_old_notices, mark_all_read, mark_read, notice_people
from .preferences import preference_of, set_preference

__all__ = [
    "drop_old_notices",
    "mark_all_read",
    "mark_read",
    "notice_people",
    "preference_of",
    "send_due_mail",
    "send_mail_of",
    "set_preference",
]
