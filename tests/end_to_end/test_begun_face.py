"""What the bundled weights draw of the presenter, who is not among those who taught them, before any training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lipwright.core.progress import Silent
from lipwright.face.morphable import store
from lipwright.recipes.neural_face import face_data
from lipwright.render.neural_face.config import NONE, preset
from lipwright.render.neural_face.data import FaceData
from lipwright.render.neural_face.task import NeuralFaceTask
from lipwright.subject.face import fit_subject
from lipwright.subject.store import Subject

pytestmark = pytest.mark.slow
DRAFT = preset("draft")


@pytest.fixture(scope="module")
def faces(subject: Subject, tmp_path_factory: pytest.TempPathFactory) -> FaceData:
    file: Path = tmp_path_factory.mktemp("face") / "face.npz"
    fit_subject(subject.path, file)
    return face_data(subject, store.load(file), DRAFT, Silent())


def test_a_stranger_is_drawn_before_any_training(faces: FaceData) -> None:
    begun = NeuralFaceTask(DRAFT, faces, 0).validate()
    random = NeuralFaceTask(replace(DRAFT, start=NONE), faces, 0).validate()
    assert begun["mouth_psnr_db"] > 26
    assert random["mouth_psnr_db"] < 18
    assert 0.1 < begun["mouth_sharpness"] < 1.5


def test_a_strangers_mouth_opens_where_the_drawing_does(faces: FaceData) -> None:
    """It is dark between open lips: how much, drawn and real, over moments of open and closed mouths."""
    generator = NeuralFaceTask(DRAFT, faces, 0).modules()["generator"].eval()
    places = np.linspace(0, len(faces.train) - 1, 40).astype(int)
    dark: dict[str, list[float]] = {"real": [], "drawn": []}
    for i in faces.train[places]:
        batch = faces.plain(np.array([i]), DRAFT)
        with torch.inference_mode():
            shown = batch.composed(generator(batch.inputs).float())
        for name, picture in (("real", batch.target), ("drawn", shown)):
            mouth = batch.mouths(picture)[0].mean(0)
            dark[name].append(float((mouth < mouth.median() - 0.35).float().mean()))
    assert np.std(dark["real"]) > 0.005
    assert np.corrcoef(dark["real"], dark["drawn"])[0, 1] > 0.9
