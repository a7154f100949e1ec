"""A drawn person as the cross-modal renderer's training data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np
import pytest
from tests.render.conftest import Person

from lipwright.core.contracts import U8
from lipwright.core.ibug import lip_aperture
from lipwright.face.contour import N_RAYS, outline_px
from lipwright.render.crossmodal.config import CrossModalConfig, preset
from lipwright.render.crossmodal.data import CrossModalData
from lipwright.render.crossmodal.pairs import PicturePairs
from lipwright.render.translation.crops import Crops

SMALL = replace(
    preset("draft"), width=4, window=3, speech_dim=2, lips=0, expressions=0, ndf=4, bf16=False, augmentation="none"
)
"""A small network at the smallest size."""


@pytest.fixture(scope="session")
def data(person: Person) -> CrossModalData:
    """The drawn person enlarged four times; its speech tells how far the mouth is open."""
    scale = 4
    points = (person.landmarks + 0.5) * scale - 0.5
    opening = lip_aperture(person.landmarks)
    rows = np.stack([opening, np.gradient(opening)], -1).astype(np.float32)
    count = len(rows)
    speech = np.stack([rows[np.clip(np.arange(count) + d, 0, count - 1)] for d in (-1, 0, 1)], 1)
    outline = outline_px(np.full((count, N_RAYS), 190.0, np.float32), points)

    def frames() -> Iterator[U8]:
        for frame in person.frames:
            yield cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)

    return CrossModalData.from_frames(
        frames(), points, outline, person.pose, speech, 256, np.arange(40), np.arange(42, count)
    )


@pytest.fixture(scope="session")
def pairs(data: CrossModalData) -> PicturePairs:
    """Stand-ins for an oracle's pictures, told apart by their colour."""
    i, j = np.array([3, 7, 11]), np.array([20, 25, 30])
    plain = [np.full((256, 256, 3), 10 * n, np.uint8) for n in range(6)]
    return PicturePairs(i, j, data.landmarks[j], Crops.of(plain[:3], 256), Crops.of(plain[3:], 256))


@pytest.fixture
def config() -> CrossModalConfig:
    return SMALL
