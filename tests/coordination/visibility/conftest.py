"""Fixtures of this room."""

from tests.network import catalogue, network

__all__ = ["catalogue", "network"]
