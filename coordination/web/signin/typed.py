"""What somebody had typed when the session was lost: it travels in the sign-in page, and is shown before it is sent."""

from __future__ import annotations

import json
from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

_SECRETS = ("password", "secret", "token")  # the form's own token too: a new one is made


@dataclass(frozen=True)
class Typed:
    """The fields of a form, in order, and the address that they were sent to."""

    address: str
    fields: tuple[tuple[str, str], ...]
    left_out: tuple[str, ...] = ()  # files, and what is secret: to be given again

    @classmethod
    def of(cls, request: HttpRequest) -> Typed:
        pairs = [(name, value) for name, values in request.POST.lists() for value in values]
        kept = tuple((name, str(value)) for name, value in pairs if not _is_secret(name))
        secrets = [name for name in request.POST if _is_secret(name) and name != "csrfmiddlewaretoken"]
        return cls(request.get_full_path(), kept, (*secrets, *request.FILES))

    @classmethod
    def read(cls, text: str) -> Typed | None:
        """What `as_text` wrote; None for nothing, for something else, and for an address of somebody else."""
        try:
            told = json.loads(text)
            fields = tuple((str(name), str(value)) for name, value in told["fields"])
            typed = cls(str(told["address"]), fields, tuple(map(str, told["left_out"])))
        except (ValueError, TypeError, KeyError):
            return None
        own = typed.address.startswith("/") and url_has_allowed_host_and_scheme(typed.address, allowed_hosts=None)
        return typed if own else None

    def as_text(self) -> str:
        return json.dumps({"address": self.address, "fields": self.fields, "left_out": self.left_out})

    @property
    def shown(self) -> list[tuple[str, str]]:
        """For people: what is filled in, without what forms carry for themselves; date and time in one."""
        told: dict[str, list[str]] = {}
        for name, value in self.fields:
            if value.strip() and not _is_inner(name):
                told.setdefault(_in_words(name), []).append(value)
        return [(name, " ".join(values)) for name, values in told.items()]


def _is_secret(name: str) -> bool:
    return name == "code" or any(secret in name.lower() for secret in _SECRETS)


def _is_inner(name: str) -> bool:
    inner = ("initial-", "_save", "_continue", "_addanother", "_popup")
    return name.startswith(inner) or name.endswith("_FORMS") or "__prefix__" in name


def _in_words(name: str) -> str:
    return name.removesuffix("_0").removesuffix("_1").replace("_", " ").replace("-", " ").strip()
