"""One drawn talk, written once for all tests of the room."""

from __future__ import annotations

import pytest

from .drawn import Talk, make_talk


@pytest.fixture(scope="session")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Talk:
    return make_talk(tmp_path_factory.mktemp("talk") / "real.mp4")
