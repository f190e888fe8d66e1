"""Where the reference material lies that is not part of the project (real ephemerides, recorded replies)."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"

needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason="needs the reference data of ../shared, which is not part of the project"
)
