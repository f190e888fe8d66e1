import pytest

from observatories import services
from observatories.models import Membership, Observatory, Organisation, Telescope, User


@pytest.fixture
def organisation(db) -> Organisation:
    return Organisation.objects.create(name="Southern Sky Institute", slug="southern-sky")


@pytest.fixture
def observatory(db) -> Observatory:
    return services.create_observatory(
        name="Cerro Prueba", longitude_deg=-70.4, latitude_deg=-24.6, height_m=2600.0, mpc_code="zz9"
    )


@pytest.fixture
def telescope(observatory, organisation) -> Telescope:
    return services.add_telescope(
        observatory_id=observatory.pk,
        organisation_id=organisation.pk,
        name="Uno 1 m",
        aperture_m=1.0,
        field_width_deg=0.5,
        field_height_deg=0.5,
        limiting_v_mag=20.5,
    )


@pytest.fixture
def person(organisation):
    """Make a member of staff with a role at an organisation."""

    def make(username: str, role: str | None = None, at: Organisation | None = None) -> User:
        user = User.objects.create_user(username, password="pass-for-tests", is_staff=True)
        if role is not None:
            Membership.objects.create(user=user, organisation=at or organisation, role=role)
        return user

    return make
