"""Frames of a speech: the same however they are read, exactly long enough, bit-exact outside the mouth."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from lipwright.core.contracts import F32, FaceTrack, Frame
from lipwright.core.errors import FootageError, LipwrightError, SpeechError
from lipwright.media.audio import write_wav
from lipwright.persona.template import Template
from lipwright.subject.store import Subject
from lipwright.synthesis import drawing, pipeline
from lipwright.synthesis.pipeline import Synthesis
from lipwright.synthesis.setup import Setup
from lipwright.synthesis.speaker import Persona
from lipwright.synthesis.strength import blend_strength, spoken_over
from lipwright.synthesis.voice import voice_of_samples


@pytest.fixture(scope="module")
def speech(subject: Subject) -> F32:
    """Two and a bit seconds of the presenter's own voice, not a whole number of frames."""
    return subject.samples[16_000 : 16_000 + 35_111]


@pytest.fixture(scope="module")
def frames(persona: Persona, speech: F32) -> list[Frame]:
    return list(persona.speak(speech))


def same(a: list[Frame], b: list[Frame]) -> bool:
    return len(a) == len(b) and all(np.array_equal(x.rgb8, y.rgb8) for x, y in zip(a, b, strict=True))


def test_as_long_as_the_speech_with_exact_times(frames: list[Frame], speech: F32, persona: Persona) -> None:
    assert len(frames) == 55 == persona.speak(speech).n_frames
    assert [f.pts for f in frames] == [t / persona.template.fps for t in range(55)]
    assert [f.template_index for f in frames] == list(range(55))


@pytest.mark.parametrize("n_samples", [640, 641, 16_000, 16_001, 31_999])
def test_lengths_to_the_sample(persona: Persona, subject: Subject, n_samples: int) -> None:
    speaking = persona.speak(subject.samples[:n_samples])
    assert speaking.n_frames == -(-n_samples // 640)
    assert len(speaking.targets()) == speaking.n_frames
    if n_samples < 1000:
        assert len(list(speaking)) == speaking.n_frames


def test_the_same_speaking_again_gives_the_same_frames(persona: Persona, speech: F32, frames: list[Frame]) -> None:
    speaking = persona.speak(speech)
    assert same(list(speaking), frames)
    assert same(list(speaking), frames), "nothing is remembered from the first time"


def test_how_frames_are_read_changes_nothing(persona: Persona, speech: F32, frames: list[Frame]) -> None:
    speaking = persona.speak(speech)
    reading = iter(speaking)
    first = list(islice(reading, 3))
    speaking.targets()
    assert same([*first, *reading], frames)


def test_iterations_side_by_side_do_not_disturb_each_other(persona: Persona, subject: Subject, speech: F32) -> None:
    """Two speeches through one persona, frame by frame in turn, and an abandoned third."""
    speech, other = speech[:18_000], subject.samples[80_000 : 80_000 + 18_000]
    alone = [list(persona.speak(s)) for s in (speech, other)]
    abandoned = iter(persona.speak(other))
    next(abandoned)
    pairs = list(zip(persona.speak(speech), persona.speak(other), strict=True))
    assert same([a for a, _ in pairs], alone[0])
    assert same([b for _, b in pairs], alone[1])
    speaking = persona.speak(speech)
    twice = list(zip(speaking, speaking, strict=True))
    assert same([a for a, _ in twice], alone[0])
    assert same([b for _, b in twice], alone[0])


@pytest.mark.parametrize("block", [40, 60, 333])
def test_landmarks_do_not_depend_on_the_motion_block(
    persona: Persona, subject: Subject, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    whole = persona.speak(subject.samples).targets()
    monkeypatch.setattr(pipeline, "MOTION_BLOCK", block)
    scale = persona.template.scale_px
    np.testing.assert_allclose(persona.speak(subject.samples).targets() / scale, whole / scale, atol=1e-5)


@pytest.mark.parametrize("window", [1, 7, 60])
def test_any_window_gives_the_same_bytes(
    persona: Persona, speech: F32, frames: list[Frame], monkeypatch: pytest.MonkeyPatch, window: int
) -> None:
    monkeypatch.setattr(pipeline, "WINDOW", window)
    assert same(list(persona.speak(speech)), frames)


def still(subject: Subject, n: int = 250) -> Template:
    """Frame 0 for ever, as far as the track knows."""
    t = subject.track
    held = [np.repeat(a[:1], n, 0) for a in (t.landmarks_px, t.dense_px, t.confidence, t.pose_rad)]
    return Template(subject.path / "frames.mp4", FaceTrack(*held, t.size))


def test_speech_that_starts_later_moves_the_mouth_later(persona: Persona, subject: Subject) -> None:
    """Exact in the features; only where the phone decoder's fixed blocks fall may a frame differ a little."""
    template, delay = still(subject), 5
    speech = subject.samples[: 16_000 * 8]
    late = np.concatenate([np.zeros(640 * delay, np.float32), speech])
    run = [
        Synthesis(Setup(voice_of_samples(s), template, persona.motion(), persona.renderer())).targets(0, len(s) // 640)
        for s in (speech, late)
    ]
    error = np.abs(run[1][delay:] - run[0]).max((1, 2))[10:-10]
    assert np.ptp(run[0][:, 18, 1]) > 3, "the mouth does move"
    assert np.median(error) < 0.01
    assert np.mean(error < 0.05) > 0.85
    wrong = np.abs(run[1][delay + 2 : -2] - run[0][:-4]).max((1, 2))[10:-10]
    assert np.median(error) < 0.02 * np.median(wrong)


def test_pixels_outside_the_region_are_the_templates(persona: Persona, frames: list[Frame]) -> None:
    template = persona.template
    renderer = persona.renderer()
    maps = renderer.bank.geometry.aligner.maps(template.track.landmarks_px)
    boxes = renderer.bank.geometry.frame_boxes(maps)
    for t in (0, 20, 54):
        own = template.store.frame(template.first + frames[t].template_index)
        x0, y0, x1, y1 = boxes[frames[t].template_index].clip(0)
        outside = np.ones(own.shape[:2], bool)
        outside[y0:y1, x0:x1] = False
        np.testing.assert_array_equal(frames[t].rgb8[outside], own[outside])
        assert outside.mean() > 0.5
        assert np.any(frames[t].rgb8 != own), "the mouth was replaced"


def test_frames_without_a_face_pass_through_and_the_mouth_fades(persona: Persona, speech: F32) -> None:
    confidence = persona.template.track.confidence.copy()
    confidence[20:30] = 0
    gone = replace(persona.template, track=replace(persona.template.track, confidence=confidence))
    shown = list(persona.speak(speech, template=gone))
    full = list(persona.speak(speech))
    share = []
    for t in range(40):
        own = persona.template.store.frame(persona.template.first + t).astype(int)
        change = np.abs(full[t].rgb8 - own).sum()
        share.append(np.abs(shown[t].rgb8 - own).sum() / max(change, 1))
    assert share[20:30] == [0] * 10
    assert 0.05 < share[19] < 0.4 < share[16] < 0.95
    assert 0.05 < share[30] < 0.4 < share[33] < 0.95
    # Away from the gap it is the same picture; the face's scale, measured on seen frames, moves it by a hair.
    assert max(np.abs(shown[t].rgb8.astype(int) - full[t].rgb8).mean() for t in (*range(14), 38, 39)) < 0.2


def test_moments_too_short_to_see_are_spoken_over() -> None:
    usable, confidence = np.ones(30, bool), np.ones(30, np.float32)
    usable[[4, 10, 11, 20, 21, 22]] = False
    confidence[10] = 0
    track = FaceTrack(
        *(np.zeros((30, *s), np.float32) for s in [(68, 2), (0, 3)]), confidence, np.zeros((30, 3)), (1, 1)
    )
    spoken = spoken_over(replace(track, usable=usable), 2)
    assert np.flatnonzero(~spoken).tolist() == [10, 11, 20, 21, 22], "a cut is; no face and longer stretches are not"
    assert spoken_over(track, 2).sum() == 29


def test_strength_of_the_blend() -> None:
    present = np.ones(20, bool)
    present[8:10] = False
    strength = blend_strength(present, 5)
    assert strength[:3].tolist() == [1, 1, 1]
    np.testing.assert_allclose(strength[3:8], [5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6])
    assert strength[8:10].tolist() == [0, 0]
    assert blend_strength(np.zeros(4, bool), 5).tolist() == [0] * 4


def test_a_short_template_is_extended_without_a_jump(persona: Persona, speech: F32, frames: list[Frame]) -> None:
    short = persona.template.part(30, 50)
    shown = list(persona.speak(speech, template=short))
    index = np.array([f.template_index for f in shown])
    assert index.min() >= 0
    assert index.max() <= 19
    assert np.abs(np.diff(index)).max() == 1
    own = persona.template.store.frame(persona.template.first + 30 + int(index[37]))
    np.testing.assert_array_equal(shown[37].rgb8[:100], own[:100])


def test_one_frame_of_template_is_enough(persona: Persona, subject: Subject) -> None:
    shown = list(persona.speak(subject.samples[:3200], template=persona.template.part(7, 8)))
    assert [f.template_index for f in shown] == [0] * 5


def test_a_subject_folder_and_a_clip_serve_as_template(persona: Persona, subject: Subject) -> None:
    a = persona.speak(subject.samples[:1280], template=subject.path)
    assert len(list(a)) == 2


def test_speech_that_cannot_be_used(persona: Persona, tmp_path: Path) -> None:
    write_wav(tmp_path / "short.wav", np.full(300, 0.1, np.float32), 16_000)
    write_wav(tmp_path / "silent.wav", np.zeros(16_000, np.float32), 16_000)
    (tmp_path / "empty.wav").touch()
    (tmp_path / "notes.txt").write_text("hello\n")
    cases: list[tuple[object, type[LipwrightError], str]] = [
        (tmp_path / "short.wav", SpeechError, "less than one video frame"),
        (tmp_path / "silent.wav", SpeechError, "silent from start to end"),
        (tmp_path / "gone.wav", FootageError, "does not exist"),
        (tmp_path / "empty.wav", FootageError, "0 bytes"),
        (tmp_path / "notes.txt", FootageError, "notes.txt"),
        (tmp_path, FootageError, "is a folder"),
        (np.zeros(100, np.float32), SpeechError, "less than one video frame"),
        (np.zeros(16_000, np.float32), SpeechError, "silent"),
        (np.zeros((16_000, 2), np.float32), LipwrightError, "shape"),
        (np.full(16_000, np.nan, np.float32), SpeechError, "not a number"),
        (np.full(16_000, 3000, np.int16), SpeechError, "int16"),
        (None, SpeechError, "either a speech file or text"),
    ]
    for given, kind, words in cases:
        with pytest.raises(kind, match=words) as caught:
            persona.speak(given)  # type: ignore[arg-type]
        assert "\n" not in str(caught.value)


def test_an_unwritable_result_leaves_nothing(persona: Persona, subject: Subject, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    speaking = persona.speak(subject.samples[:1280])
    for place in (tmp_path / "file" / "out.mp4", tmp_path):
        with pytest.raises(LipwrightError, match="cannot write"):
            speaking.write(place)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_failure_in_the_middle_leaves_no_half_file(
    persona: Persona, subject: Subject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(drawing, "paste", broken)
    with pytest.raises(KeyboardInterrupt):
        persona.speak(subject.samples[:6400]).write(tmp_path / "out.mp4")
    assert list(tmp_path.iterdir()) == []
