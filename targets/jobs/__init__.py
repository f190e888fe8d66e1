"""Scheduled work of targets: what providers say is fetched, held against what is stored, and taken over."""

from coordination.common import jobs


def register() -> None:
    from . import approaches, candidates, catalogue, comparing, orbits, risk

    jobs.register("refresh_catalogue", "all near-Earth objects, from the MPC", catalogue.refresh, "mpc")
    jobs.register("refresh_orbits", "orbits of tracked targets, from JPL's SBDB", orbits.refresh, "sbdb")
    jobs.register("compare_ephemerides", "tracked positions, with JPL Horizons", comparing.compare, "horizons")
    jobs.register("refresh_risk", "the risk list, from JPL Sentry", risk.refresh, "sentry")
    jobs.register("refresh_close_approaches", "close approaches, from JPL", approaches.refresh, "cad")
    jobs.register("refresh_neocp", "the confirmation page, from the MPC", candidates.refresh_neocp, "neocp")
    jobs.register("refresh_scout", "hazard of unconfirmed objects, from JPL Scout", candidates.refresh_scout, "scout")
