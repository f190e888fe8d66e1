from tests.providers.fixtures import _simulator, simulator

__all__ = ["_simulator", "simulator"]
