"""Keeps the secrets of addresses out of the logs: of calendars, of invitations, of links to a new password."""

import copy
import logging
import re
from typing import Any

_ADDRESS = re.compile(r"(/(?:feeds/calendar|invitation|lost-password/[^/]+)/)[^/?#\s\"']+")


class HideSecrets(logging.Filter):
    """Replaces the secret wherever a record quotes such an address."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = _hidden(record.msg)
        if isinstance(record.args, dict):
            hidden = copy.copy(record.args)  # gunicorn's dictionary answers for absent keys too
            hidden.update({key: _hidden(value) for key, value in record.args.items()})
            record.args = hidden
        elif record.args:
            record.args = tuple(_hidden(value) for value in record.args)
        return True


def _hidden(value: Any) -> Any:
    return _ADDRESS.sub(r"\1…", value) if isinstance(value, str) else value
