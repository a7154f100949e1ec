"""Parts of the virtual-human bench on made-up people whose answers are known, and whole rows at the smallest size."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from tests.render.conftest import person  # noqa: F401
from tests.render.oracle.conftest import data as oracle_person  # noqa: F401

from lipwright.core import weights
from lipwright.core.config import to_dict
from lipwright.core.contracts import FaceTrack
from lipwright.core.errors import ConfigError, SpeechError
from lipwright.core.progress import Silent
from lipwright.core.wav2vec2_weights import Wav2Vec2Config
from lipwright.face.pose import rotation
from lipwright.recipes.crossmodal_bench import strip
from lipwright.recipes.crossmodal_bench.artefacts import alike_pairs
from lipwright.recipes.crossmodal_bench.control import random_wav2vec2
from lipwright.recipes.crossmodal_bench.limits import by_yaw
from lipwright.recipes.crossmodal_bench.network import Drawn
from lipwright.recipes.crossmodal_bench.oracles import oracle_scores
from lipwright.recipes.crossmodal_bench.rows import RANDOM, ROWS, Table
from lipwright.recipes.row import by_name
from lipwright.render.crossmodal.config import preset
from lipwright.render.oracle.data import OracleData
from lipwright.speech.features import SPEECH_FEATURES
from lipwright.speech.tts import Phone
from lipwright.train.crossmodal import kind_of


def test_rows_are_unique_and_cover_what_is_asked() -> None:
    assert len({row.file for row in ROWS}) == len(ROWS)
    changed = {(key, value) for row in ROWS for key, value in row.changes.items()}
    assert {("augmentation", "none"), ("augmentation", "classical"), ("decoders", "1"), ("oracle", "single")} <= changed
    assert {("speech", "logfbank"), ("speech", "articulation"), ("speech", "wav2vec2")} <= changed
    assert {("window", "2"), ("window", "12")} <= changed
    assert {("synthetic", "0"), ("synthetic", "0.5"), ("synthetic", "0.95")} <= changed
    assert {("backbone", name) for name in ("mobilenetv2", "hard-swish", "depthwise")} <= changed
    with pytest.raises(ConfigError, match="unknown row 'gan'; available: ours; augmentation none"):
        by_name(["gan"], ROWS)


@pytest.mark.parametrize("row", [r for r in ROWS if r.changes.get("speech") != "wav2vec2"], ids=lambda r: r.file)
def test_every_row_differs_from_the_preset_by_what_it_says(row: Any) -> None:
    plan = Table(changes={"width": "4"}).plan(row)
    expected = to_dict(preset("draft")) | {"width": 4}
    for key, text in row.changes.items():
        kind = type(expected[key])
        expected[key] = text == "true" if kind is bool else kind(text)
    expected["speech_dim"] = plan.config.speech_dim
    assert to_dict(plan.config) == expected
    assert plan.oracle.kind == kind_of(expected["oracle"])


def test_the_span_of_we() -> None:
    phones = [Phone("w", 0.1, 0.2), Phone("aa", 0.2, 0.3), Phone("w", 0.5, 0.6), Phone("iy", 0.6, 0.8)]
    assert strip.span(phones) == (0.5, 0.8)
    with pytest.raises(SpeechError, match="no w before an i"):
        strip.span(phones[:2])


def test_windows_of_silence_are_those_of_zeros() -> None:
    from lipwright.motion.window import SpeechWindow

    model = SpeechWindow("logfbank", 4, (0.5,))
    found = strip.silence(model, 5)
    assert found.shape == (5, 4, model.channels)
    assert (found[..., -1] == 0.5).all()
    np.testing.assert_allclose(found, np.broadcast_to(found[:1, :1], found.shape), atol=1e-5)


def turned_faces(openings: list[float], yaws_deg: list[float]) -> FaceTrack:
    """Flat meshes with a mouth, turned by yaw and seen from the front, as `metrics.frontal` expects them."""
    from tests.evaluate.drawn import LOWER, NEUTRAL

    from lipwright.face.landmarks68 import to_68

    meshes, poses = [], []
    flip = np.array([1.0, -1.0, -1.0])
    for opening, yaw in zip(openings, yaws_deg, strict=True):
        mesh = NEUTRAL.astype(np.float64)
        mesh[LOWER, 1] += opening
        pose = np.array([0, np.deg2rad(yaw), 0])
        centred = mesh - mesh.mean(0)
        meshes.append(((centred * flip) @ rotation(pose[None])[0].T) * flip + 200)
        poses.append(pose)
    dense = np.array(meshes, np.float32)
    count = len(dense)
    return FaceTrack(to_68(dense), dense, np.ones(count, np.float32), np.array(poses, np.float32), (400, 400))


def test_pairs_show_the_same_mouth_in_another_pose() -> None:
    """Frame 0 is the head; of the others those with its opening are found, one in each bin of yaw."""
    track = turned_faces([10, 10, 0, 10, 20, 10.2], [0, 2, 4, 5, 12, 13])
    i, j, turned, apart = alike_pairs(track, np.array([0]), np.arange(1, 6))
    assert i.tolist() == [1, 3, 5]
    assert j.tolist() == [0, 0, 0]
    np.testing.assert_allclose(turned, [2, 5, 13], atol=1e-3)
    assert apart.max() < 0.02


def test_quality_by_yaw_by_hand() -> None:
    real = [np.full((8, 8, 3), 100, np.uint8) for _ in range(3)]
    made = [np.full((8, 8, 3), 100 + d, np.uint8) for d in (1, 1, 10)]
    found = Drawn(np.arange(3), real, made, real, made, (slice(0, 4), slice(0, 4)))
    near, far = by_yaw(found, np.deg2rad([1, -2, 12]))
    assert (near["from_deg"], near["frames"], far["from_deg"], far["frames"]) == (0, 2, 10, 1)
    assert near["mouth_psnr_db"] == pytest.approx(20 * np.log10(255))
    assert far["mouth_psnr_db"] == pytest.approx(20 * np.log10(25.5))


def test_a_perfect_oracle_and_a_soft_one(oracle_person: OracleData) -> None:  # noqa: F811
    """Drawing the frames themselves is as sharp as they are; what passes through fewer pixels is not."""
    import cv2

    data = oracle_person

    def true(landmarks: np.ndarray, frames: np.ndarray) -> Any:
        return np.stack([data.heads[int(f)] for f in frames]), np.stack([data.mouth(int(f)) for f in frames])

    def soft(landmarks: np.ndarray, frames: np.ndarray) -> Any:
        heads, mouths = true(landmarks, frames)
        return heads, np.stack([cv2.GaussianBlur(m, (0, 0), 2) for m in mouths])

    best, sheet = oracle_scores(true, data)
    assert best["mouth_psnr_db"] > 80
    assert (best["mouth_sharpness"], best["square_sharpness"]) == pytest.approx((1, 1))
    assert best["square_px"] == data.geometry.mouth_square[2]
    assert sheet.ndim == 3
    worse, _ = oracle_scores(soft, data)
    assert worse["mouth_sharpness"] < 0.5
    assert worse["reduced_sharpness"] < best["reduced_sharpness"]
    assert worse["square_sharpness"] == pytest.approx(1)  # the head picture was left alone


def test_random_wav2vec2_stands_in_and_goes_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "vgg19.safetensors").write_bytes(b"brought")
    monkeypatch.setenv("LIPWRIGHT_MODELS", str(own))
    small = Wav2Vec2Config(32, 1, 2, 64, (16,) * 7, num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=2)
    state = torch.get_rng_state()
    with random_wav2vec2(tmp_path / "control", 3, small):
        assert SPEECH_FEATURES.get("wav2vec2").dim == 32
        assert (weights.folder() / "vgg19.safetensors").read_bytes() == b"brought"
    assert torch.equal(torch.get_rng_state(), state)
    assert os.environ["LIPWRIGHT_MODELS"] == str(own)
    assert weights.find("wav2vec2") is None


def test_the_control_says_what_it_is() -> None:
    assert "random" in RANDOM
    assert by_name([RANDOM], ROWS)[0].kind == "random wav2vec2"


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """The smallest networks that have every part."""
    from lipwright.render.crossmodal import config as crossmodal
    from lipwright.render.oracle import config as oracle
    from lipwright.render.translation.config import TranslationConfig

    sketch = TranslationConfig(
        mode="full-face", size=256, ngf=4, n_downs=4, n_blocks=1, ndf=4, n_scales=1, attention=False,
        mouth_discriminator=False,
    )  # fmt: skip
    small = replace(preset("draft"), width=2, ndf=4, n_scales=1)
    monkeypatch.setitem(crossmodal.PRESETS, "draft", small)
    monkeypatch.setitem(oracle.PRESETS, "draft", oracle.OracleConfig(mouth=sketch, head=sketch))


@pytest.mark.slow
@pytest.mark.usefixtures("tiny")
def test_rows_share_what_they_can_and_say_why_they_were_not_run(
    subject: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    from lipwright.cli.bench import virtual_human
    from lipwright.recipes.crossmodal_bench import ablate, workshop
    from lipwright.train.loop import Budget

    monkeypatch.setattr(ablate, "_EXPORTED", ())  # exporting takes longer than all else here
    folder = tmp_path / "few.subject"
    shutil.copytree(subject.path, folder)
    info = json.loads((folder / "subject.json").read_text(encoding="utf-8"))
    info["splits"] = {"train": [0, 70], "validation": [73, 79]}
    (folder / "subject.json").write_text(json.dumps(info), encoding="utf-8")
    file = tmp_path / "table.json"

    def run(*names: str) -> dict[str, Any]:
        table = Table(budget=Budget(steps=1), rows=by_name(names, ROWS))
        found = virtual_human.run([folder], table, "cpu", file, Silent())
        rows: dict[str, Any] = found["subjects"]["few.subject"]["rows"]
        return rows

    run("ours", "oracle chain")
    first = json.loads(file.read_text(encoding="utf-8"))["subjects"]["few.subject"]["rows"]  # as kept: rounded
    assert first["ours"]["steps"] == first["ours"]["oracle_steps"] == 1
    assert first["ours"]["seed"] == 0
    assert first["synthetic 0"] == {"status": "not run", "reason": "not asked for"}
    made = sorted(p.name for p in (tmp_path / "table.training" / "few.subject").glob("*.safetensors"))
    assert [name.removesuffix(".safetensors").split("-")[0] for name in made] == ["motion", "oracle", "renderer"]
    calls = SimpleNamespace(fits=0)
    fit = workshop.stages.fit_crossmodal

    def counted(*args: Any, **options: Any) -> Any:
        calls.fits += 1
        return fit(*args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workshop.stages, "fit_crossmodal", counted)
        rows = run(
            *("ours", "synthetic 0", "limits", "artefacts by pose distance", "renderer of the memory as oracle"),
            *("comparison Wav2Lip", "speech wav2vec2", "comparison ours, sewn"),
        )
    assert calls.fits == 1  # of synthetic 0; the others looked at what `ours` left
    assert rows["ours"] == first["ours"]
    assert first["ours"]["drawn_by"] == "memory"  # one step of an oracle loses
    assert set(first["ours"]["held_out"]) == {"chain", "memory"}
    assert rows["renderer of the memory as oracle"]["mouth_psnr_db"] == pytest.approx(first["ours"]["mouth_psnr_db"])
    assert rows["synthetic 0"]["changes"] == {"synthetic": "0"}
    assert "pairs" not in rows["synthetic 0"]
    assert rows["limits"]["bins"][0]["frames"] >= 1
    assert rows["limits"]["steps"] == 1
    assert "needs Wav2Lip's weights" in rows["comparison Wav2Lip"]["reason"]
    assert "needs weights" in rows["speech wav2vec2"]["reason"]
    assert "--footage" in rows["comparison ours, sewn"]["reason"]
    assert (tmp_path / "table.pictures" / "few.subject" / "ours-sheet.png").is_file()
    json.loads(file.read_text(encoding="utf-8"), parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


@pytest.mark.slow
def test_a_system_is_compared_on_footage_it_never_saw(
    subject: Any, persona: Any, presenter: Path, tmp_path: Path
) -> None:
    """With a persona that shows a face: keys of the paper's table in both protocols, and the real video beside them."""
    from lipwright.evaluate.speakers import PersonaSpeaker
    from lipwright.recipes.crossmodal_bench.comparison import CROSS, SELF, compared, persona_of
    from lipwright.recipes.row import Reported

    motions = {"landmarks": persona.motions["landmarks"]}
    made = persona_of(subject, motions, "memory", persona.renderers["memory"], "sewn")
    reported = Reported(presenter, (11.0, 13.0), (2.0, 4.0))
    found = compared(PersonaSpeaker(made), reported, tmp_path, "memory")
    assert set(found) == {"self", "cross"}
    assert set(found["self"]) == {*SELF, "real"}
    assert set(found["cross"]) == {*CROSS, "real"}
    assert 25 < found["self"]["psnr_db"] < found["self"]["real"]["psnr_db"]
    assert 0 < found["self"]["dlip_centred"] < found["self"]["dlip_px"] < found["self"]["dlip_frobenius"]
    assert found["self"]["lse_c"] is None  # nobody brought SyncNet's weights
    assert found["self"]["fps"] > 0
    assert found["cross"]["shape_px"] > 0
    assert {p.name for p in tmp_path.iterdir()} == {"memory-self.mp4", "memory-cross.mp4"}
