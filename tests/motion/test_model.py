from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lipwright.core.contracts import Conditions
from lipwright.core.errors import CheckpointError, ConfigError, ShapeError
from lipwright.engines.network import Network
from lipwright.motion.config import MotionConfig
from lipwright.motion.data import MotionClip, MotionData
from lipwright.motion.model import CascadeMotion
from lipwright.motion.task import MotionTask

SMALL = {"width": 16, "batch": 8, "dropout": 0.0}
VARIANTS = {
    "paper": MotionConfig(**SMALL),
    "smoothed": MotionConfig(**SMALL, condition_smoothing_s=0.3),
    "separate": MotionConfig(
        **SMALL,
        separate=True,
        leak_penalty=1.0,
        condition_smoothing_s=0.2,
        ema=0.9,
        kernel_share=0.5,
        amplitude=0.9,
        quick=1.0,
    ),
    "causal": MotionConfig(**SMALL, causal=True),
}


@pytest.fixture(scope="module", params=list(VARIANTS))
def model(request: pytest.FixtureRequest, clip: MotionClip) -> CascadeMotion:
    task = MotionTask(VARIANTS[request.param], MotionData((clip,)), seed=1)
    for i in range(3):
        task.step(i)
    return task.model()


def test_every_part_takes_part(model: CascadeMotion) -> None:
    separate = model.statistics.separate
    assert separate is None or (separate.gain > 1 and separate.quick > 0)


def test_output_follows_the_contract(model: CascadeMotion, clip: MotionClip) -> None:
    out = model.predict(clip.features, clip.conditions)
    assert out.shape == (len(clip), 29, 2)
    assert out.dtype == np.float32
    assert np.isfinite(out).all()
    assert model.info.produces == "landmarks"
    assert model.info.features == ("logfbank",)


def test_save_and_load_give_the_same_bits(model: CascadeMotion, clip: MotionClip, tmp_path: Path) -> None:
    model.save(tmp_path / "motion.safetensors")
    again = CascadeMotion.load(tmp_path / "motion.safetensors")
    np.testing.assert_array_equal(
        again.predict(clip.features, clip.conditions), model.predict(clip.features, clip.conditions)
    )
    assert again.config == model.config
    assert again.info == model.info


def test_chunks_with_the_stated_halo_equal_the_whole(model: CascadeMotion, clip: MotionClip) -> None:
    whole = model.predict(clip.features, clip.conditions)
    halo, n = model.info.halo, len(clip)
    for start, stop in [(0, 50), (50, 110), (200, n), (halo, n - halo)]:
        low, high = max(start - halo, 0), min(stop + halo, n)
        part = clip.part(low, high)
        out = model.predict(part.features, part.conditions)[start - low : stop - low]
        np.testing.assert_allclose(out, whole[start:stop], atol=1e-5)


def test_some_frames_are_those_of_all(model: CascadeMotion, clip: MotionClip) -> None:
    whole = model.predict(clip.features, clip.conditions)
    for start, stop in ((0, len(whole)), (40, 42), (0, 1), (len(whole) - 3, len(whole)), (7, 7)):
        part = model.predict_only(clip.features, clip.conditions, start, stop)
        np.testing.assert_allclose(part, whole[start:stop], atol=1e-5)


def test_one_frame_and_no_frame(model: CascadeMotion, clip: MotionClip) -> None:
    for n in (0, 1):
        part = clip.part(0, n)
        assert model.predict(part.features, part.conditions).shape == (n, 29, 2)


def test_another_engine_predicts_the_same(model: CascadeMotion, clip: MotionClip) -> None:
    started: list[str] = []

    class Plain:
        name, threads = "openvino", 1

        def start(self, network: Network) -> object:
            started.append(network.name)
            return network.plain

    other = model.on(Plain())  # type: ignore[arg-type]
    np.testing.assert_array_equal(
        other.predict(clip.features, clip.conditions), model.predict(clip.features, clip.conditions)
    )
    assert started == ["motion"]
    few = model.on(Plain())  # type: ignore[arg-type]
    part = clip.part(0, 15)
    np.testing.assert_array_equal(
        few.predict(part.features, part.conditions), model.predict(part.features, part.conditions)
    )
    assert started == ["motion"], "fewer frames than an exported network takes are torch's"


def test_bad_input_is_named(model: CascadeMotion, clip: MotionClip) -> None:
    with pytest.raises(ConfigError, match="logfbank"):
        model.predict({}, clip.conditions)
    with pytest.raises(ShapeError, match="logfbank"):
        model.predict({"logfbank": clip.features["logfbank"][:-1]}, clip.conditions)
    with pytest.raises(ShapeError, match="cheeks"):
        model.predict(clip.features, Conditions(clip.conditions.pose_rad, clip.conditions.cheeks[:, :5]))


def test_foreign_and_damaged_files_are_refused(model: CascadeMotion, tmp_path: Path) -> None:
    tensors, description = model.state()
    with pytest.raises(CheckpointError, match="visemes"):
        CascadeMotion.from_state(tensors, description | {"kind": "visemes"})
    with pytest.raises(CheckpointError, match="missing"):
        CascadeMotion.from_state(dict(list(tensors.items())[5:]), description)
    less = {k: v for k, v in tensors.items() if k != "statistics.pca_basis"}
    with pytest.raises(CheckpointError, match="pca_basis"):
        CascadeMotion.from_state(less, description)
    (tmp_path / "half.safetensors").write_bytes(b"123456789")
    with pytest.raises(CheckpointError, match=r"half\.safetensors"):
        CascadeMotion.load(tmp_path / "half.safetensors")
