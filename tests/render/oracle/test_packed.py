"""A person packed for training elsewhere: whole again when read, fewer frames when room is short."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from tests.render.conftest import Person

from lipwright.core.errors import CheckpointError, ShapeError
from lipwright.face.contour import outline_px
from lipwright.render.crossmodal.config import CrossModalConfig
from lipwright.render.oracle.data import OracleData
from lipwright.render.oracle.packed import crossmodal_data, load_packed, save_packed, thinned

from .conftest import tiny

CONFIG = CrossModalConfig(size=256, width=2, ndf=4, window=3, speech_dim=5)
ORACLE = replace(tiny(), mouth=replace(tiny().mouth, size=256), head=replace(tiny().head, size=256))


@pytest.fixture(scope="module")
def person_data(person: Person) -> tuple[OracleData, np.ndarray]:
    count = 24
    outlines = outline_px(np.full((count, 33), 55, np.float32), person.landmarks[:count])
    data = OracleData.from_frames(
        person.frames[:count], person.track()[:count], outlines, ORACLE, np.arange(14), np.arange(15, count)
    )
    return data, np.random.default_rng(2).random((count, 3, 5), np.float32)


def test_what_is_packed_is_read_again(person_data: tuple[OracleData, np.ndarray], tmp_path: Path) -> None:
    data, speech = person_data
    save_packed(tmp_path / "p.safetensors", data, speech, CONFIG, ORACLE)
    read, heard, config, oracle = load_packed(tmp_path / "p.safetensors")
    assert (config, oracle) == (CONFIG, ORACLE)
    assert_array_equal(heard, speech)
    assert (read.mouth_size, read.room, read.geometry.mouth_square) == (
        data.mouth_size, data.room, data.geometry.mouth_square,
    )  # fmt: skip
    for i in (0, 17):
        assert_array_equal(read.heads[i], data.heads[i])
        assert_array_equal(read.mouth(i), data.mouth(i))
    assert_allclose(read.landmarks, data.landmarks, atol=1e-4)
    assert_array_equal(read.track.pose_rad, data.track.pose_rad)
    first, again = (d.mouth_batch(ORACLE, 1, 5) for d in (data, read))
    assert_array_equal(first.target.numpy(), again.target.numpy())


def test_the_renderer_learns_from_the_same_frames(person_data: tuple[OracleData, np.ndarray]) -> None:
    data, speech = person_data
    renderers = crossmodal_data(data, speech, 256)
    assert_array_equal(renderers.head[3], data.heads[3])
    assert_array_equal(renderers.speech, speech)
    shown, own = renderers.mouth[3].astype(float), data.mouth(3).astype(float)
    assert shown.shape == (256, 256, 3)
    assert abs(shown.mean() - own.mean()) < 1


def test_room_decides_how_many_frames_are_packed(person_data: tuple[OracleData, np.ndarray], tmp_path: Path) -> None:
    data, speech = person_data
    fewer, heard = thinned(data, speech, megabytes=0.5)
    assert len(fewer.validation) >= 8
    assert len(fewer.track) == len(heard) < len(data.track)
    kept = np.abs(data.track.landmarks_px[:, None] - fewer.track.landmarks_px[None]).max((2, 3)).argmin(0)
    assert_array_equal(heard, speech[kept])
    assert set(kept[fewer.train]) <= set(data.train)
    assert set(kept[fewer.validation]) <= set(data.validation)
    assert np.abs(fewer.heads[2].astype(int) - data.heads[int(kept[2])]).mean() < 3
    save_packed(tmp_path / "p.safetensors", fewer, heard, CONFIG, ORACLE)
    assert len(load_packed(tmp_path / "p.safetensors")[0].track) == len(heard)


def test_other_files_and_other_speech_are_refused(person_data: tuple[OracleData, np.ndarray], tmp_path: Path) -> None:
    data, speech = person_data
    with pytest.raises(ShapeError, match="speech"):
        save_packed(tmp_path / "p.safetensors", data, speech[:5], CONFIG, ORACLE)
    (tmp_path / "p.safetensors").write_bytes(b"nothing")
    with pytest.raises(CheckpointError):
        load_packed(tmp_path / "p.safetensors")
