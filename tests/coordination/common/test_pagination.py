"""Keyset pages: complete, without repeats, also where many rows share a value and some have none."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from coordination.common.models import RunRecord
from coordination.common.pagination import KeysetPagination


class View:
    orderings = {"job": ("job", "id"), "-job": ("-job", "id"), "ended_at": ("ended_at", "id"), "id": ("id",)}


def pages(order_by: str, limit: int):
    query = {"order_by": order_by, "limit": str(limit)}
    for _ in range(100):
        pagination = KeysetPagination()
        request = Request(APIRequestFactory().get("/rows/", query))
        rows = pagination.paginate_queryset(RunRecord.objects.all(), request, View())
        answer = pagination.get_paginated_response(rows).data
        yield rows
        if answer["next"] is None:
            return
        next_query = Request(APIRequestFactory().get(answer["next"])).query_params
        query = next_query.dict()
    raise AssertionError("no end of pages")


class EveryRowOnce(TestCase):
    @settings(max_examples=25, deadline=None)
    @given(
        st.lists(
            st.tuples(st.sampled_from("abc"), st.sampled_from([None, "2026-11-22T00:00Z", "2026-11-23T00:00Z"])),
            max_size=12,
        ),
        st.integers(1, 5),
        st.sampled_from(list(View.orderings)),
    )
    def test_pages_hold_every_row_once_and_in_order(self, rows, limit, order_by):
        RunRecord.objects.all().delete()
        for job, ended_at in rows:
            RunRecord.objects.create(job=job, ended_at=ended_at)
        seen = [row for page in pages(order_by, limit) for row in page]
        assert len(seen) == len(rows)
        assert len({row.pk for row in seen}) == len(rows)
        name = order_by.lstrip("-")
        values = [getattr(row, name) for row in seen if getattr(row, name) is not None]
        assert values == sorted(values, reverse=order_by.startswith("-"))
        assert all(getattr(row, name) is None for row in seen[len(values) :]), "rows without a value come last"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"limit": "ten"}, "limit"),
        ({"cursor": "nonsense"}, "cursor"),
        ({"cursor": "WyIxIl0="}, "cursor"),  # a cursor of another order: one value instead of two
        ({"order_by": "password"}, "order_by"),
    ],
)
def test_bad_input_names_the_parameter(query, field):
    request = Request(APIRequestFactory().get("/rows/", query))
    with pytest.raises(ValidationError) as refused:
        KeysetPagination().paginate_queryset(RunRecord.objects.all(), request, View())
    assert field in refused.value.detail
