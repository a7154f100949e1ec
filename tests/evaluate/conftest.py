"""One drawn talk, written once for all tests of the room."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .drawn import Talk, make_talk


@pytest.fixture(scope="session")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Talk:
    return make_talk(tmp_path_factory.mktemp("talk") / "real.mp4")


@pytest.fixture(scope="session", autouse=True)
def no_brought_weights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Whatever weights this machine's user has, tests see none."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LIPWRIGHT_MODELS", str(tmp_path_factory.mktemp("models")))
        yield
