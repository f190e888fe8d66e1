"""Windows are shown quickly, and exactly as their declared fields say."""

import pytest
from rest_framework import serializers

from coordination.visibility import quality, window_table
from coordination.visibility.api import WindowSerializer
from coordination.visibility.models import VisibilityWindow

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows(windows):
    found = list(quality.with_quality(VisibilityWindow.objects.all())[:20])
    window_table.attach_shared(found)
    assert found
    return found


def as_declared(serializer, row):
    return serializers.Serializer.to_representation(serializer, row)


def test_a_window_is_shown_as_its_fields_are_declared(rows):
    serializer = WindowSerializer()
    for row in rows:
        assert serializer.to_representation(row) == as_declared(serializer, row)


def test_what_is_not_known_is_null_in_both(rows):
    serializer, row = WindowSerializer(), rows[0]
    row.uncertainty = row.v_mag = row.fits_field_until = None
    row.orbit.arc_days = row.orbit.last_observed_on = None
    shown = serializer.to_representation(row)
    assert shown == as_declared(serializer, row)
    assert (shown["uncertainty"], shown["v_mag"], shown["orbit"]["arc_days"]) == (None, None, None)
