"""The network against reference values made with the published code from rule-generated weights and inputs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from tests.ruled import Reference, check, normal, ruled, uniform

from lipwright.core.errors import ShapeError
from lipwright.core.syncnet_weights import shapes
from lipwright.metrics.syncnet import SyncNet, embed_lips, embed_sound

# mean, std, first 8 in float64 (rtol 1e-6)
SOUND: Reference = (-0.007811471113870412, 0.28596323787666483, [
    0.15155162846522824, 0.47165185931239095, -0.22639758151989298, 0.3544476886544561,
    -0.31856062092404924, -0.00854473517050014, -0.254897085125, 0.03675621102630856,
])  # fmt: skip
LIPS: Reference = (0.008393125627053865, 0.22778228342779872, [
    -0.34264031448992566, 0.11514949074631374, -0.19573772810830528, -0.4728960366983117,
    0.08869450410478495, 0.16333996124700267, -0.02805732099513203, -0.22978145348633888,
])  # fmt: skip
LIP_FEATURES: Reference = (0.13956559522717715, 0.21368376545464451, [
    0.1366999939826909, 0.0, 0.08348096627520842, 0.0, 0.0, 0.0, 0.24846457329142968, 0.0,
])  # fmt: skip


@pytest.fixture(scope="module")
def model() -> SyncNet:
    return ruled(SyncNet(), shapes())


def test_layout_is_the_published_one() -> None:
    own = {key: tuple(value.shape) for key, value in SyncNet().state_dict().items()}
    assert own == shapes()
    assert len(own) == 102
    assert sum(p.numel() for p in SyncNet().parameters()) == pytest.approx(13.632e6, rel=1e-3)


def test_reference_values(model: SyncNet) -> None:
    sound = normal("sync.mfcc", 2, 1, 13, 20)
    faces = uniform("sync.lip", 2, 3, 5, 224, 224)
    with torch.inference_mode():
        check(model.sound(sound), SOUND)
        check(model.lips(faces), LIPS)
        check(model.lip_features(faces), LIP_FEATURES)


def test_windows_do_not_depend_on_how_they_are_batched(model: SyncNet) -> None:
    rng = np.random.default_rng(0)
    faces = rng.integers(0, 256, (9, 224, 224, 3), dtype=np.uint8)
    single = SyncNet()
    single.load_state_dict(model.state_dict())
    whole = embed_lips(single, iter(faces), 5, batch=5)
    parts = embed_lips(single, iter(faces), 5, batch=2)
    np.testing.assert_allclose(parts, whole, atol=2e-5 * np.abs(whole).max())
    third = torch.from_numpy(faces[2:7].copy()).permute(3, 0, 1, 2)[None].float()
    with torch.inference_mode():
        np.testing.assert_allclose(whole[2], single.lips(third)[0].numpy(), atol=2e-5 * np.abs(whole).max())
    cepstra = rng.normal(size=(36, 13))
    sounds = embed_sound(single, cepstra, 5)
    np.testing.assert_allclose(embed_sound(single, cepstra, 5, batch=2), sounds, atol=1e-5 * np.abs(sounds).max())
    fourth = torch.from_numpy(cepstra[12:32].T.copy())[None, None].float()
    with torch.inference_mode():
        np.testing.assert_allclose(sounds[3], single.sound(fourth)[0].numpy(), atol=1e-5 * np.abs(sounds).max())


def test_frames_are_read_once_and_only_as_far_as_needed() -> None:
    class Counting(SyncNet):
        def lips(self, faces: torch.Tensor) -> torch.Tensor:
            return faces[:, 0, :, 0, 0].repeat(1, 205)[:, :1024]

    read: list[int] = []

    def faces() -> Iterator[np.ndarray]:
        for k in range(100):
            read.append(k)
            yield np.full((224, 224, 3), k, np.uint8)

    points = embed_lips(Counting(), faces(), 11, batch=4)
    np.testing.assert_array_equal(points[:, :5], np.arange(11)[:, None] + np.arange(5))
    assert read == list(range(15))


def test_too_little_material_is_an_error() -> None:
    with pytest.raises(ShapeError):
        embed_sound(SyncNet(), np.zeros((35, 13)), 5)
    with pytest.raises(ShapeError):
        embed_lips(SyncNet(), iter(np.zeros((6, 224, 224, 3), np.uint8)), 3)
    with pytest.raises(ShapeError):
        embed_lips(SyncNet(), iter([]), 1)
