"""Wav2Lip against reference values of the published network, and its speaker's geometry.

Made once from the published code in float64 with weights and inputs that are a seeded hash of their name.
"""

from __future__ import annotations

import zlib
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from lipwright.core import wav2lip_weights
from lipwright.core.errors import CheckpointError
from lipwright.evaluate.wav2lip import face_boxes, redrawn
from lipwright.render.wav2lip import SIDE, Wav2Lip, load_wav2lip
from lipwright.speech.wav2lip_mel import mel_basis, wav2lip_mel, windows


def _random(name: str) -> np.random.RandomState:
    return np.random.RandomState(zlib.crc32(name.encode()) & 0xFFFFFFFF)


@pytest.fixture(scope="module")
def model() -> Wav2Lip:
    made = Wav2Lip().double().eval()
    state = made.state_dict()
    for key, tensor in state.items():
        noise = _random(key).standard_normal(tuple(tensor.shape))
        if key.endswith("num_batches_tracked"):
            noise = np.zeros(())
        elif key.endswith("running_var"):
            noise = 1 + 0.1 * np.abs(noise)
        elif tensor.ndim >= 2:
            noise = noise / np.sqrt(np.prod(tensor.shape[1:]))
        elif key.endswith("weight"):
            noise = 1 + 0.1 * noise
        else:
            noise = 0.1 * noise
        state[key] = torch.from_numpy(np.asarray(noise)).to(tensor.dtype)
    made.load_state_dict(state)
    return made


def test_the_published_network(model: Wav2Lip) -> None:
    mel = torch.from_numpy(_random("input:w2l.mel").standard_normal((2, 1, 80, 16)))
    face = torch.from_numpy(_random("input:w2l.face").random_sample((2, 6, 96, 96)))
    with torch.inference_mode():
        drawn = model(mel, face).numpy().ravel()
        heard = model.audio_encoder(mel)
        other = model(mel.flip(0), face).numpy().ravel()
    assert drawn.size == 55296
    np.testing.assert_allclose(drawn.mean(), 0.47075548158028463, rtol=1e-6)
    np.testing.assert_allclose(drawn.std(), 0.11583219850500436, rtol=1e-6)
    first = [0.5022002745285361, 0.4744557874441797, 0.5263596027018319, 0.5134320618844507, 0.5352086979237062,
             0.46218696204018406, 0.5203459736006892, 0.5012463509633878]  # fmt: skip
    np.testing.assert_allclose(drawn[:8], first, rtol=1e-6)
    assert tuple(heard.shape) == (2, 512, 1, 1)
    assert np.abs(drawn - other).max() > 0  # the sound is heard


def test_names_shapes_and_count(model: Wav2Lip) -> None:
    state = model.state_dict()
    assert {name: tuple(t.shape) for name, t in state.items()} == wav2lip_weights.shapes()
    assert len(state) == 352
    assert sum(p.numel() for p in model.parameters()) == 36_298_035


def test_checkpoints_as_published_are_read_without_running_them(model: Wav2Lip, tmp_path: Path) -> None:
    held = {f"module.{name}": tensor.float() for name, tensor in model.state_dict().items()}
    torch.save({"state_dict": held, "optimizer": {}, "global_step": 3}, tmp_path / "wav2lip.pth")
    wav2lip_weights.convert(tmp_path / "wav2lip.pth", tmp_path / "wav2lip.safetensors")
    again = load_wav2lip(tmp_path / "wav2lip.safetensors").state_dict()
    assert all(torch.equal(again[name].double(), t.float().double()) for name, t in model.state_dict().items())
    del held["module.output_block.1.bias"]
    torch.save(held, tmp_path / "less.pth")
    with pytest.raises(CheckpointError, match=r"has no output_block\.1\.bias"):
        wav2lip_weights.check(tmp_path / "less.pth")
    (tmp_path / "no.pth").write_bytes(b"text")
    with pytest.raises(CheckpointError, match=r"give wav2lip\.pth"):
        wav2lip_weights.check(tmp_path / "no.pth")


def signal() -> np.ndarray:
    n = np.arange(16000)
    noise = np.random.RandomState(zlib.crc32(b"sig") & 0xFFFFFFFF).standard_normal(16000)
    return np.round(8000 * np.sin(2 * np.pi * (200 + 1500 * n / 16000) * n / 16000) + 500 * noise).astype(np.int16)


def test_mel_as_published() -> None:
    """librosa 0.11 with reflected ends (reference values, made in float32)."""
    mel = wav2lip_mel((signal() / 32768).astype(np.float32))
    assert mel.shape == (80, 81)
    np.testing.assert_allclose(mel.mean(), -0.9555136850345824, rtol=1e-5)
    np.testing.assert_allclose(mel.std(), 0.8910329064485237, rtol=1e-5)
    np.testing.assert_allclose(mel[:4, 0], [-0.61287799, -0.33301451, 0.27499099, 1.04438591], rtol=1e-4)
    np.testing.assert_allclose(mel[:4, 40], [-3.65612165, -3.18440511, -2.45444301, -2.56340383], rtol=1e-4)
    np.testing.assert_allclose(mel_basis().sum(), 3.999497890472412, rtol=1e-5)
    np.testing.assert_allclose(mel_basis()[10, 21:25], [0.00428631, 0.01976469, 0.02039572, 0.00491735], rtol=1e-5)


def test_mel_of_silence_and_of_a_clipped_tone() -> None:
    assert (wav2lip_mel(np.zeros(8000, np.float32)) == -4).all()
    loud = np.sign(np.sin(np.arange(8000) * 0.5)).astype(np.float32)
    assert wav2lip_mel(loud).max() <= 4


def test_windows_of_frames() -> None:
    mel = np.tile(np.arange(40, dtype=np.float32), (80, 1))
    starts = windows(mel, 12, Fraction(25))[:, 0, 0]
    assert starts.tolist() == [0, 3, 6, 9, 12, 16, 19, 22, 24, 24, 24, 24]
    assert windows(mel[:, :5], 1, Fraction(25)).shape == (1, 80, 16)


def test_only_the_box_is_redrawn() -> None:
    class White(torch.nn.Module):
        def forward(self, mel: torch.Tensor, face: torch.Tensor) -> torch.Tensor:
            assert not face[0, :3, SIDE // 2 :].any()  # the mouth of the frame is hidden
            assert face[0, 3:, SIDE // 2 :].any()
            return torch.ones(1, 3, SIDE, SIDE)

    points = np.zeros((7, 68, 2), np.float32)
    points[:, 0], points[:, 1] = (20, 30), (60, 90)
    points[:, 2:] = (40, 60)
    boxes = face_boxes(points, (120, 140))
    assert boxes[0].tolist() == [20, 15, 60, 100]
    frame = np.full((140, 120, 3), 90, np.uint8)
    result = redrawn(White(), frame, boxes[0], np.zeros((80, 16), np.float32))  # type: ignore[arg-type]
    assert (result[15:100, 20:60] == 255).all()
    result[15:100, 20:60] = 90
    assert (result == frame).all()
