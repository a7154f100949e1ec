"""A renderer that hears the speech: two motions, two clocks, a smile, and another take that drives the head."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from tests.render.conftest import face_shape

from lipwright.core.contracts import F32, LANDMARKS, FaceTrack
from lipwright.core.errors import ConfigError, FootageError, PairingError
from lipwright.motion.window import SpeechWindow, channels
from lipwright.render.crossmodal.config import CrossModalConfig
from lipwright.render.crossmodal.networks import CrossModal
from lipwright.render.crossmodal.renderer import CrossModalRenderer
from lipwright.render.head import HeadGeometry
from lipwright.subject.store import Subject
from lipwright.synthesis import pipeline
from lipwright.synthesis.drive import Drive, common_box, covering, read_background
from lipwright.synthesis.speaker import Persona

FEATURE = "logfbank"
CONFIG = CrossModalConfig(
    size=256, width=1, ndf=4, residual=False, speech=FEATURE, speech_dim=channels(FEATURE), expressions=1
)


@pytest.fixture(scope="module")
def hearing(persona: Persona, subject: Subject, tmp_path_factory: pytest.TempPathFactory) -> Persona:
    """The presenter with an untrained renderer beside the memory, saved and loaded."""
    track = subject.track
    geometry = HeadGeometry.fit(track.landmarks_px, track.pose_rad, CONFIG.size)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        renderer = CrossModalRenderer(CrossModal(CONFIG, geometry.mouth_square), geometry)
    window = SpeechWindow(FEATURE, CONFIG.window, (0.0,))
    motions = {LANDMARKS: persona.motion(), FEATURE: window}
    made = Persona(
        persona.info | {"renderer": "crossmodal"},
        motions,
        {**persona.renderers, "crossmodal": renderer},
        persona.template,
    )
    folder = tmp_path_factory.mktemp("hearing") / "p.persona"
    made.save(folder)
    loaded = Persona.load(folder)
    assert isinstance(loaded, Persona)
    return loaded


@pytest.fixture(scope="module")
def speech(subject: Subject) -> F32:
    return subject.samples[16_000 : 16_000 + 6_111]


def test_a_renderer_gets_the_motion_it_accepts(hearing: Persona, persona: Persona, speech: F32) -> None:
    assert hearing.path is not None
    assert {p.name for p in hearing.path.glob("*.safetensors")} == {
        f"{part}.safetensors" for part in ("motion", "landmarks", "memory", "renderer")
    }
    assert hearing.motion().info.produces == FEATURE == hearing.speak(speech).accepts
    assert hearing.speak(speech, renderer="memory").accepts == LANDMARKS
    own, memory = (hearing.speak(speech, renderer=kind) for kind in (None, "memory"))
    assert own.targets().shape == (10, CONFIG.window, CONFIG.k)
    np.testing.assert_array_equal(memory.targets(), persona.speak(speech).targets())
    assert [f.target_px for f in own] == [None] * 10
    first = next(iter(memory)).target_px
    assert first is not None
    assert first.shape == (29, 2)
    alone = replace(hearing, motions={LANDMARKS: hearing.motions[LANDMARKS]})
    with pytest.raises(PairingError, match=f"accepts {FEATURE}"):
        alone.speak(speech)


@pytest.mark.parametrize(("window", "block"), [(3, 250), (25, 4)])
def test_any_chunks_give_the_same_frames(
    hearing: Persona, speech: F32, monkeypatch: pytest.MonkeyPatch, window: int, block: int
) -> None:
    whole = [f.rgb8 for f in hearing.speak(speech)]
    monkeypatch.setattr(pipeline, "WINDOW", window)
    monkeypatch.setattr(pipeline, "MOTION_BLOCK", block)
    for a, b in zip(whole, hearing.speak(speech), strict=True):
        np.testing.assert_array_equal(a, b.rgb8)


def test_between_two_motion_frames_windows_lie_on_a_line(hearing: Persona, speech: F32) -> None:
    slow, fast = (hearing.speak(speech, fps=fps).targets() for fps in (25, 50))
    np.testing.assert_array_equal(fast[::2], slow)
    np.testing.assert_allclose(fast[1:-1:2], (slow[:-1] + slow[1:]) / 2, rtol=1e-5)


def test_nothing_can_be_replayed_to_a_renderer_that_hears(hearing: Persona, speech: F32) -> None:
    with pytest.raises(ConfigError, match=r"hears logfbank .* nothing to replay; use another renderer"):
        hearing.speak(speech, replay=True)
    assert hearing.speak(speech, replay=True, renderer="memory").accepts == LANDMARKS


def test_a_smile_changes_the_expression_alone_and_the_picture_inside_the_mask_alone(
    hearing: Persona, speech: F32
) -> None:
    plain, smiling = hearing.speak(speech), hearing.speak(speech, smile=0.8)
    np.testing.assert_array_equal(plain.targets()[..., :-1], smiling.targets()[..., :-1])
    assert (smiling.targets()[..., -1] == np.float32(0.8)).all()
    np.testing.assert_array_equal(plain.targets(), hearing.speak(speech, smile=0.0).targets())
    renderer = hearing.renderer()
    assert isinstance(renderer, CrossModalRenderer)
    boxes = renderer.footprint(hearing.template.track)
    for t, (a, b) in enumerate(zip(plain, smiling, strict=True)):
        x0, y0, x1, y1 = np.clip(boxes[t], 0, None)
        changed = (a.rgb8 != b.rgb8).any(-1)
        assert changed.any()
        changed[y0:y1, x0:x1] = False
        assert not changed.any()
    with pytest.raises(ConfigError, match="no smile to choose"):
        hearing.speak(speech, smile=0.5, renderer="memory")
    with pytest.raises(ConfigError, match="from -1 to 1"):
        hearing.speak(speech, smile=2)


def test_the_takes_place_and_size_do_not_matter_and_its_motion_does(hearing: Persona, speech: F32) -> None:
    """Twice the pixels and elsewhere: the same picture. Another stretch of the take: another."""
    track = hearing.template.track
    own = Drive(track[:40], hearing.template.fps)
    away = own.moved(np.array([[2, 0, 300], [0, 2, -50]], np.float32))
    later = Drive(track[60:100], hearing.template.fps)
    made = [[f.rgb8 for f in hearing.speak(speech, drive=d)] for d in (own, away, later)]
    for a, b in zip(made[0], made[1], strict=True):
        assert np.abs(a.astype(int) - b).mean() < 0.5, "rounding of keypoints alone"
    assert np.abs(made[0][5].astype(int) - made[2][5]).mean() > 0.2


def test_over_the_template_only_the_crop_changes(hearing: Persona, speech: F32) -> None:
    renderer = hearing.renderer()
    assert isinstance(renderer, CrossModalRenderer)
    whole = CrossModalRenderer(renderer.network, renderer.geometry, "full-face")
    drive = Drive(hearing.template.track, hearing.template.fps)
    x0, y0, x1, y1 = np.clip(whole.footprint(drive.track[:10]), 0, None).T
    shown = hearing.template.store.frame(hearing.template.first)
    frame = next(iter(hearing.speak(speech, drive=drive)))
    changed = (frame.rgb8 != shown).any(-1)
    assert changed.mean() > 0.05
    changed[y0.min() : y1.max(), x0.min() : x1.max()] = False
    assert not changed.any()


def test_over_a_colour_the_picture_shows_what_every_crop_holds(hearing: Persona, speech: F32) -> None:
    speaking = hearing.speak(speech, background="#00b140")
    renderer = hearing.renderer()
    assert isinstance(renderer, CrossModalRenderer)
    side = float(renderer.geometry.crop.box[2])
    width, height = speaking.size
    assert width % 2 == height % 2 == 0
    assert 0.7 * side - 2 <= width <= side
    assert 0.7 * side - 2 <= height <= side
    frames = list(speaking)
    assert len(frames) == 10
    assert all(f.rgb8.shape == (height, width, 3) for f in frames)
    assert speaking.fps == hearing.template.fps


def test_a_crop_that_leaves_keeps_most_of_the_head() -> None:
    face = 3 * face_shape(4.0) + np.float32(300)
    points = np.repeat(face[None], 20, 0)
    geometry = HeadGeometry.fit(points, np.zeros((20, 3), np.float32), 64)
    track = Drive(_track(points), Fraction(25)).track
    still = common_box(geometry, track)
    side = float(geometry.crop.box[2])
    assert abs(still[2] - still[0] - side) <= 3
    points[10:] += 10 * side
    far = common_box(geometry, _track(points))
    assert far[2] - far[0] >= 0.7 * side - 3


def test_keypoints_from_a_file(hearing: Persona, speech: F32, tmp_path: Path) -> None:
    track = hearing.template.track[:30]
    np.savez(tmp_path / "take.npz", landmarks_px=track.landmarks_px, contour_px=track.contour_px, fps="25")
    stored = Drive.load(tmp_path / "take.npz")
    assert stored.fps == 25
    np.testing.assert_array_equal(stored.track.landmarks_px, track.landmarks_px)
    frames = list(hearing.speak(speech, drive=tmp_path / "take.npz"))
    assert len(frames) == 10


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"points": np.zeros((3, 68, 2))}, "landmarks_px"),
        ({"landmarks_px": np.zeros((3, 60, 2))}, r"\(3, 60, 2\) and must be \(3, 68, 2\)"),
        ({"landmarks_px": np.full((3, 68, 2), np.nan)}, "finite"),
        ({"landmarks_px": np.zeros((3, 68, 2)), "contour_px": np.zeros((2, 33))}, "contour_px"),
        ({"landmarks_px": np.zeros((3, 68, 2)), "confidence": np.zeros(3)}, "no face"),
    ],
)
def test_a_file_that_cannot_drive_says_why(tmp_path: Path, arrays: dict[str, np.ndarray], said: str) -> None:
    np.savez(tmp_path / "take.npz", **arrays)
    with pytest.raises(FootageError, match=said):
        Drive.load(tmp_path / "take.npz")


def test_what_cannot_be_driven_or_shown_is_one_sentence(hearing: Persona, speech: F32, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="draws no whole head"):
        hearing.speak(speech, renderer="memory", background="#00b140")
    with pytest.raises(FootageError, match="there is no"):
        hearing.speak(speech, drive=tmp_path / "none.mp4")
    (tmp_path / "torn.npz").write_bytes(b"no")
    with pytest.raises(FootageError, match="cannot drive the head"):
        hearing.speak(speech, drive=tmp_path / "torn.npz")
    with pytest.raises(ConfigError, match="is no colour"):
        read_background("#12345")
    (tmp_path / "note.png").write_text("no picture")
    with pytest.raises(ConfigError, match="not an image that can be read"):
        read_background(tmp_path / "note.png")


def test_a_background_fills_the_picture(tmp_path: Path) -> None:
    np.testing.assert_array_equal(read_background("#00b140")[0, 0], [0, 177, 64])
    halves = np.zeros((20, 60, 3), np.uint8)
    halves[:, 30:] = 255
    cv2.imwrite(str(tmp_path / "b.png"), halves)
    shown = covering(read_background(tmp_path / "b.png"), (40, 40))
    assert shown.shape == (40, 40, 3)
    assert shown[:, :18].max() < 30
    assert shown[:, 22:].min() > 225


def _track(points: F32) -> FaceTrack:
    count = len(points)
    none = np.zeros((count, 0, 3), np.float32)
    return FaceTrack(points, none, np.ones(count, np.float32), np.zeros((count, 3), np.float32), (900, 900))
