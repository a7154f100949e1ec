"""A drawn face with exact coefficients as the neural face renderer's training data."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from tests.face.morphable import drawn

from lipwright.core.contracts import U8, FaceTrack
from lipwright.face.morphable.fit import Fit
from lipwright.render.neural_face.config import NeuralFaceConfig, preset
from lipwright.render.neural_face.data import FaceData

COUNT = 40
SMALL = replace(
    preset("draft"),
    size=64,
    ngf=4,
    n_downs=5,
    ndf=4,
    mouth_discriminator=False,
    bf16=False,
    learning_rate=2e-3,
    start="none",
)
"""A small network at a small size."""


@dataclass(frozen=True)
class Filmed:
    """Nobody's footage."""

    fit: Fit
    track: FaceTrack
    frames: list[U8]


def film() -> Filmed:
    """Forty frames."""
    model, c = drawn.face(), drawn.truth(COUNT)
    fit = Fit(model, c, np.ones(COUNT, np.float32))
    return Filmed(fit, drawn.tracked(model, c), drawn.pictures(model, c))


def data_of(filmed: Filmed) -> FaceData:
    """Thirty to learn from, seven held out."""
    return FaceData.from_frames(
        filmed.frames,
        filmed.fit,
        filmed.track.landmarks_px,
        filmed.track.pose_rad,
        drawn.SIZE,
        SMALL,
        np.arange(30),
        np.arange(33, COUNT),
        np.arange(COUNT),
    )


@pytest.fixture(scope="session")
def filmed() -> Filmed:
    return film()


@pytest.fixture(scope="session")
def data(filmed: Filmed) -> FaceData:
    return data_of(filmed)


@pytest.fixture
def config() -> NeuralFaceConfig:
    return SMALL
