import pytest

from targets.models import Target
from targets.services import import_file
from targets.sources.files import read_file

from .excerpt import EXCERPT


@pytest.fixture
def catalogue(db) -> None:
    """The excerpt of the catalogue, imported: 33 targets."""
    import_file(read_file(EXCERPT))


@pytest.fixture
def apophis(catalogue) -> Target:
    return Target.objects.get(designation="99942")


@pytest.fixture
def secret(catalogue) -> Target:
    """A target that only signed-in people may know of."""
    target = Target.objects.get(designation="2024 YR4")
    Target.objects.filter(pk=target.pk).update(visibility=Target.Visibility.SIGNED_IN)
    return target
