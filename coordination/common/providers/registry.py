"""Who is asked, where, and how much may come back. Addresses are those of the settings where they name others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from django.conf import settings

_MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Provider:
    """One service. Those of one `operator` get one request at a time between them."""

    name: str
    operator: str
    url: str
    form: Literal["json", "text"] = "json"
    most_bytes: int = 20 * _MB


_JPL = "https://ssd-api.jpl.nasa.gov"
_MPC = "https://www.minorplanetcenter.net/iau"
_MPC_API = "https://data.minorplanetcenter.net/api"

_PROVIDERS = {
    provider.name: provider
    for provider in (
        Provider("sbdb", "jpl", f"{_JPL}/sbdb.api"),
        Provider("sbdb_query", "jpl", f"{_JPL}/sbdb_query.api", most_bytes=100 * _MB),
        Provider("horizons", "jpl", "https://ssd.jpl.nasa.gov/api/horizons.api", form="text"),
        Provider("cad", "jpl", f"{_JPL}/cad.api"),
        Provider("sentry", "jpl", f"{_JPL}/sentry.api"),
        Provider("scout", "jpl", f"{_JPL}/scout.api"),
        Provider("mpc", "mpc", f"{_MPC}/MPCORB/NEA.txt", form="text", most_bytes=100 * _MB),
        Provider("neocp", "mpc", f"{_MPC}/NEO/neocp.txt", form="text"),
        Provider("obscodes", "mpc", f"{_MPC_API}/obscodes"),
        Provider("identifier", "mpc", f"{_MPC_API}/query-identifier"),
        Provider("iers", "iers", "https://datacenter.iers.org/data/9/finals2000A.all", form="text"),
        Provider("neofixer", "neofixer", "https://neofixerapi.arizona.edu/targets/", most_bytes=100 * _MB),
        Provider("esa", "esa", "https://neo.ssa.esa.int/PSDB-portlet/download", form="text"),
    )
}
NAMES = tuple(_PROVIDERS)


def provider_named(name: str) -> Provider:
    """The provider as the settings have it. KeyError for a name that is none."""
    provider = _PROVIDERS[name]
    most = settings.PROVIDER_MOST_BYTES
    return replace(
        provider,
        url=settings.PROVIDER_URLS.get(name, provider.url),
        most_bytes=min(provider.most_bytes, most) if most else provider.most_bytes,
    )


def is_offline(name: str) -> bool:
    """Whether the settings switch it off: by itself, or with all of them."""
    return "all" in settings.PROVIDERS_OFFLINE or name in settings.PROVIDERS_OFFLINE


def accepted_versions(name: str, written_for: tuple[str, ...]) -> tuple[str, ...]:
    """Versions of its format that are read: those the parser was written for, and one that somebody looked at since."""
    also = settings.PROVIDER_VERSIONS.get(name)
    return (*written_for, also) if also else written_for
