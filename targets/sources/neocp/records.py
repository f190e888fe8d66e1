"""Objects of the confirmation page as targets: without an orbit, and not for the public."""

import re

from coordination.common.providers.reading import FieldError
from targets.designations import key_of
from targets.sources.neocp.parse import NeocpObject, parse_line
from targets.sources.records import RecordError, TargetRecord

_BEGINNING = re.compile(r"\S{1,8}\s+\d{1,3}\s+\d{4} \d\d \d\d\.\d", re.ASCII)


def is_neocp_line(line: str) -> bool:
    """Whether a line begins as those of the page: designation, score, date of discovery."""
    return _BEGINNING.match(line) is not None


def neocp_record(line: str) -> TargetRecord:
    """One line. Raises RecordError."""
    try:
        return target_record(parse_line(line))
    except FieldError as error:
        raise RecordError((line.split() or ["line"])[0][:64], str(error)) from error


class DistinctRecords:
    """The lines of one list. Names that differ only in case would be one object here, as lookups pass over it."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def __call__(self, line: str) -> TargetRecord:
        """One line. Raises RecordError."""
        record = neocp_record(line)
        name = record.designation
        other = self._names.setdefault(key_of(name), name)
        if other != name:
            reason = f"differs from {other} only in the case of its letters, which is passed over when it is looked up"
            raise RecordError(name, reason)
        return record


def target_record(found: NeocpObject) -> TargetRecord:
    return TargetRecord("", (found.designation,), "", None, is_confidential=True)
