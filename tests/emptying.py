"""The database after a test that commits: empty, by one statement for all that has rows.

Django truncates every table and makes all content types and permissions anew, which takes longer than most of these
tests. Those two are as migrations left them, and stay.
"""

from functools import cache
from typing import Any

from django.db import connection
from django.test import TransactionTestCase

_KEPT = {"django_migrations", "django_content_type", "auth_permission"}


@cache
def _tables() -> tuple[str, ...]:
    there = connection.introspection.django_table_names(only_existing=True, include_views=False)
    return tuple(sorted(set(there) - _KEPT))


def _empty(_case: Any) -> None:
    quote = connection.ops.quote_name
    asked = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM {quote(name)})" for name in _tables())
    with connection.cursor() as cursor:
        cursor.execute(asked)
        filled = [quote(name) for (name,) in cursor.fetchall()]
        if filled:  # in one transaction: foreign keys are looked at when all are gone
            cursor.execute("".join(f"DELETE FROM {name};" for name in filled))


def install() -> None:
    """For all tests of this process."""
    TransactionTestCase._fixture_teardown = _empty  # type: ignore[method-assign]
