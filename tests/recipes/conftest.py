"""Tables of rows are tested without whatever weights this machine's user has brought."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def no_brought_weights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Whatever weights this machine's user has, tests see none."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LIPWRIGHT_MODELS", str(tmp_path_factory.mktemp("models")))
        yield
