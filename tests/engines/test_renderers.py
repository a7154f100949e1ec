"""Renderers on another engine: the same patches, also from several threads; what that engine cannot do torch does."""

from __future__ import annotations

import copy
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from tests.render.conftest import Person

from lipwright.core.contracts import FaceTrack, MotionInfo, RenderWindow
from lipwright.engines.engine import Engine, Engined
from lipwright.engines.running import START
from lipwright.motion.window import SpeechWindow
from lipwright.render.crossmodal.config import CrossModalConfig
from lipwright.render.crossmodal.networks import CrossModal
from lipwright.render.crossmodal.renderer import CrossModalRenderer
from lipwright.render.head import HeadGeometry
from lipwright.synthesis.running import running, threads_of

CONFIG = CrossModalConfig(size=256, width=4, window=3, speech_dim=5, residual=False, bf16=False)


@pytest.fixture(scope="module")
def renderer(person: Person) -> CrossModalRenderer:
    geometry = HeadGeometry.fit(person.landmarks, person.pose, CONFIG.size)
    torch.manual_seed(2)
    return CrossModalRenderer(CrossModal(CONFIG, geometry.mouth_square), geometry)


def window(person: Person, which: list[int]) -> RenderWindow:
    track = person.track()[which]
    contour = np.full((len(which), 33), 45.0, np.float32)
    track = FaceTrack(track.landmarks_px, track.dense_px, track.confidence, track.pose_rad, track.size, None, contour)
    heard = np.random.default_rng(0).random((len(which), CONFIG.window, CONFIG.k), np.float32)
    return RenderWindow([person.frames[i] for i in which], track, heard, track)


@pytest.mark.slow
def test_a_sewn_head_is_the_same_in_openvino_and_from_many_threads(
    renderer: CrossModalRenderer, person: Person, cache: Path
) -> None:
    for name in ("onnx", "onnxscript", "openvino"):
        pytest.importorskip(name, exc_type=ImportError)
    assert isinstance(renderer, Engined)
    engine = Engine("openvino", "fp32")
    other = renderer.on(engine)
    shown = window(person, [3, 20, 40])
    wanted = list(renderer.render(shown))
    drawn = list(other.render(shown))
    assert engine.notes == []
    assert threads_of(other) == 1
    assert len(list(cache.glob("*.onnx"))) == 1, "one graph serves every pose"
    for a, b in zip(wanted, drawn, strict=True):
        np.testing.assert_array_equal(a.mask, b.mask)
        off = np.abs(a.rgb8.astype(int) - b.rgb8.astype(int))
        assert off.max() <= 4, "one level, which matching the light may enlarge"
        assert (off > 1).mean() < 5e-3
        assert a.rgb8.std() > 3
    found: dict[int, list[np.ndarray]] = {}

    def work(k: int) -> None:
        found[k] = [patch.rgb8 for patch in copy.copy(other).render(shown)]

    threads = [threading.Thread(target=work, args=(k,)) for k in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k in range(3):
        for a, b in zip(drawn, found[k], strict=True):
            np.testing.assert_array_equal(a.rgb8, b)


def test_an_engine_that_fails_leaves_every_frame_to_torch(
    renderer: CrossModalRenderer, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object, **options: object) -> None:
        raise RuntimeError("no device")

    monkeypatch.setattr("lipwright.engines.engine.write_onnx", lambda network, path: None)
    monkeypatch.setitem(START, "openvino", broken)
    shown = window(person, [3, 20])
    ready = running(renderer, SpeechWindow("visemes"), "openvino")
    assert ready.engine == "openvino"
    for a, b in zip(renderer.render(shown), ready.renderer.render(shown), strict=True):
        np.testing.assert_array_equal(a.rgb8, b.rgb8)
    assert ready.notes == ["crossmodal-region runs in torch, not in openvino: RuntimeError: no device"]


def test_the_region_of_other_engines_is_a_part_of_the_whole_head(
    renderer: CrossModalRenderer, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each graph computed by torch itself: what is cut from the fixed region equals what torch draws for the frame."""
    names: list[str] = []

    class Plain:
        name, threads = "openvino", 1

        def start(self, network: object) -> object:
            names.append(network.name)  # type: ignore[attr-defined]
            return network.plain  # type: ignore[attr-defined]

    other = renderer.on(Plain())  # type: ignore[arg-type]
    shown = window(person, [3, 40])
    for a, b in zip(renderer.render(shown), other.render(shown), strict=True):
        assert np.abs(a.rgb8.astype(int) - b.rgb8.astype(int)).max() <= 2
    larger = window(person, [3])
    frame = cv2.resize(larger.frames[0], None, fx=8, fy=8, interpolation=cv2.INTER_CUBIC)
    track = FaceTrack(
        (larger.track.landmarks_px + 0.5) * 8 - 0.5, larger.track.dense_px, larger.track.confidence,
        larger.track.pose_rad, (1024, 1024), None, np.full((1, 33), 360.0, np.float32),
    )  # fmt: skip
    fine = RenderWindow([frame], track, larger.target, track)
    for a, b in zip(renderer.render(fine), other.render(fine), strict=True):
        assert np.abs(a.rgb8.astype(int) - b.rgb8.astype(int)).max() <= 2
    assert [p.rgb8.shape for p in other.heads(shown)] == [(256, 256, 3)] * 2
    assert names == ["crossmodal-region", "crossmodal-region-mouth", "crossmodal-head"]


def test_parts_without_networks_have_no_engine() -> None:
    class Square:
        accepts, lookahead = "visemes", 0

    motion = SpeechWindow("visemes")
    assert isinstance(motion.info, MotionInfo)
    ready = running(Square(), motion, "openvino")  # type: ignore[arg-type]
    assert (ready.engine, ready.notes, ready.motion) == ("none", [], motion)
    assert threads_of(ready.renderer) == 1
