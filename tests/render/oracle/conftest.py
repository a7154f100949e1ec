"""The drawn person as an oracle's data: 64 px heads, mouths at the footage's own size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.render.conftest import Person

from lipwright.face.contour import outline_px
from lipwright.render.oracle.config import OracleConfig
from lipwright.render.oracle.data import OracleData
from lipwright.render.translation.config import TranslationConfig


def tiny(kind: str = "chain", **changes: object) -> OracleConfig:
    network = TranslationConfig(
        mode="full-face", size=64, ngf=4, n_downs=2, n_blocks=1, ndf=4, n_scales=1, skips=True, even=True,
        attention=False, mouth_discriminator=False, gan_start=0.0, gan_full=0.1, learning_rate=2e-3,
    )  # fmt: skip
    return replace(OracleConfig(mouth=network, head=network, kind=kind), **changes)


@pytest.fixture(scope="session")
def data(person: Person) -> OracleData:
    count = len(person.frames)
    outlines = outline_px(np.full((count, 33), 55, np.float32), person.landmarks)
    train, validation = np.arange(count - 8), np.arange(count - 6, count)
    return OracleData.from_frames(person.frames, person.track(), outlines, tiny(), train, validation)
