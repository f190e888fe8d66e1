"""A database whose transactions end, as clients of a real server need it."""

from ..concurrency.conftest import committed_db, emptied_by_delete  # noqa: F401
