"""Fixtures of this room."""

from tests.network import catalogue, network, well_placed

__all__ = ["catalogue", "network", "well_placed"]
