"""Working size, sound, contours, advice, and folders of older versions."""

from __future__ import annotations

import json
import shutil
import wave
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lipwright.core.contracts import F32
from lipwright.core.errors import FootageError
from lipwright.media.audio import read_audio, write_wav
from lipwright.media.color import BT709
from lipwright.media.picture import Picture
from lipwright.subject.advice import advice
from lipwright.subject.arrays import array_file
from lipwright.subject.outline import write_contour
from lipwright.subject.pieces import Pieces
from lipwright.subject.sound import Loudness, Track, write_sound
from lipwright.subject.store import Subject
from lipwright.subject.working_size import at_size, to_full, working_size


@pytest.mark.parametrize(
    ("size", "face_px", "expected"),
    [
        ((3840, 2160), 1120, (960, 540)),
        ((3840, 2160), 560, (1920, 1080)),
        ((3840, 2160), 200, (3840, 2160)),
        ((1920, 1080), 1080, (640, 360)),
        ((1080, 1920), 2000, (360, 640)),
        ((512, 512), 400, (512, 512)),
        ((1280, 720), 300, (1280, 720)),
    ],
)
def test_the_working_size_shows_the_face_large_enough(
    size: tuple[int, int], face_px: float, expected: tuple[int, int]
) -> None:
    assert working_size(size, face_px) == expected


def test_points_come_back_to_the_same_place_of_the_picture() -> None:
    """A bright dot's centre of gravity, found in the small picture, is where it was drawn in the large one."""
    full, small = (800, 600), (200, 150)
    rgb8 = np.zeros((600, 800, 3), np.uint8)
    rgb8[400:440, 300:360] = 255  # covers 299.5 to 359.5: middle 329.5, and 419.5
    picture = at_size(Picture.of_rgb8(rgb8, BT709, "yuv444p"), small)[..., 1].astype(float)
    rows, columns = np.indices(picture.shape)
    weight = picture - picture.min()
    found = [float((axis * weight).sum() / weight.sum()) for axis in (columns, rows)]
    point = to_full(np.array([[*found, 5.0]], np.float32), small, full)[0]
    np.testing.assert_allclose(point, [329.5, 419.5, 20.0], atol=0.15)
    np.testing.assert_array_equal(to_full(np.array([[1.0, 2.0]], np.float32), full, full), [[1.0, 2.0]])
    # Edges meet edges: the corner of the small picture is the corner of the large one.
    np.testing.assert_allclose(to_full(np.array([[-0.5, -0.5]], np.float32), small, full), [[-0.5, -0.5]])


@pytest.mark.parametrize("shift_ms", [0, 130, -70, -5000])
def test_sound_is_moved_and_is_as_long_as_asked(tmp_path: Path, shift_ms: int) -> None:
    rng = np.random.default_rng(0)
    samples = rng.uniform(-0.5, 0.5, 48_000).astype(np.float32)
    write_wav(tmp_path / "in.wav", samples)
    track = Track(tmp_path / "in.wav", Fraction(1, 2), 45_001)
    loudness = write_sound(tmp_path / "out.wav", track.blocks(Fraction(shift_ms, 1000)))
    heard = read_audio(tmp_path / "out.wav")
    with wave.open(str(tmp_path / "out.wav")) as file:
        assert (file.getnframes(), file.getframerate(), file.getnchannels()) == (45_001, 16_000, 1)
    first = 8000 + 16 * shift_ms
    at = np.arange(45_001) + first
    expected = np.where((at >= 0) & (at < 48_000), samples[np.clip(at, 0, 47_999)], 0)
    np.testing.assert_allclose(heard, expected, atol=2e-4)
    assert len(loudness.level_db) == 45_001 // 320


def test_loudness_does_not_depend_on_the_blocks() -> None:
    rng = np.random.default_rng(1)
    samples = (rng.normal(0, 0.1, 16_000) * np.repeat([1, 0.0001, 1, 1], 4000)).astype(np.float32)
    whole, parts = Loudness(), Loudness()
    whole.add(samples)
    for block in np.array_split(samples, [7, 333, 5000, 5001, 12_345]):
        parts.add(block)
    np.testing.assert_allclose(parts.level_db, whole.level_db, atol=1e-4)
    assert whole.silence_share == pytest.approx(0.25, abs=0.03)
    quiet = Loudness()
    quiet.add(np.zeros(16_000, np.float32))
    assert quiet.silence_share == 1.0
    assert Loudness().silence_share == 1.0


def test_the_contour_is_the_chosen_faces_and_a_line_between(tmp_path: Path) -> None:
    """Two faces swap places half way; measurements every fifth frame at 25 fps."""
    radii = np.zeros((4, 2, 33), np.float32)
    radii[:, 0], radii[:, 1] = 100, np.arange(4)[:, None] * 10
    radii[3, 1] = np.nan
    with array_file(tmp_path / "0.npz") as file:
        file.write("radii", radii)
        file.write("confidence", np.ones((20, 2), np.float32))
    write_contour(tmp_path, Pieces([tmp_path / "0.npz"]), np.ones(20, np.int64), Fraction(25))
    with np.load(tmp_path / "contour.npz") as file:
        found: F32 = file["radii_px"]
    assert found.shape == (20, 33)
    np.testing.assert_allclose(found[:11, 7], np.arange(11) * 2)
    np.testing.assert_allclose(found[11:, 7], 20)


def test_subjects_of_the_first_schema_still_open(subject: Subject, tmp_path: Path) -> None:
    folder = shutil.copytree(subject.path, tmp_path / "old")
    with np.load(folder / "landmarks.npz") as file:
        kept = {name: file[name] for name in file.files if name != "usable"}
    with (folder / "landmarks.npz").open("wb") as stream:
        np.savez(stream, **kept)
    info = json.loads((folder / "subject.json").read_text())
    (folder / "subject.json").write_text(json.dumps(info | {"schema": 1}))
    old = Subject.open(folder)
    assert old.track.usable is None
    np.testing.assert_array_equal(old.track.good, old.track.present)
    np.testing.assert_array_equal(old.track.dense_px, subject.track.dense_px)
    assert subject.track.usable is not None


def test_meshes_stay_on_disk_until_they_are_looked_at(subject: Subject) -> None:
    dense = Subject.open(subject.path).track.dense_px
    assert isinstance(dense, np.memmap)
    part = subject.track[10:20]
    np.testing.assert_array_equal(part.dense_px, np.array(dense)[10:20])


def fine() -> dict[str, Any]:
    file = {"material_fps": None, "variable_rate": False, "interlaced": False, "hdr": False, "fps": "25"}
    offset = {"sure": True, "offset_s": 0.01, "corrected": False, "words": "", "trend": "steady", "trend_words": ""}
    return {
        "missing_s": 0.0, "damaged_s": [], "usable_s": 80.0, "length_s": 80.0, "fps": "25", "footage": file,
        "face_width_px": 300.0, "sharpness": 100.0, "brightness": 0.5, "clipped_share": 0.0, "silence_share": 0.2,
        "audio_offset": offset, "yaw_deg": [-10, 10], "no_face_share": 0.0, "unusable_share": {}, "faces": 1,
        "shots": 1,
    }  # fmt: skip


def test_good_footage_needs_no_advice() -> None:
    assert advice(fine()) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"missing_s": 12.0}, "ends 12.0 s before"),
        ({"damaged_s": [[3.0, 4.5], [9.0, 9.5]]}, "2.0 s of the file are damaged (first at 3.0 s)"),
        ({"face_width_px": 80.0}, "80 px wide"),
        ({"faces": 3}, "3 persons were seen"),
        ({"shots": 40, "unusable_share": {"the picture cuts to another shot": 0.03}}, "40 shots"),
        ({"unusable_share": {"a caption lies there": 0.21}}, "21.0 % of the frames cannot be used: a caption"),
        ({"silence_share": 0.7}, "70 % of the sound is silence"),
    ],
)
def test_what_is_wrong_is_said(change: dict[str, Any], words: str) -> None:
    assert words in " ".join(advice(fine() | change))


@pytest.mark.parametrize(
    ("part", "change", "words"),
    [
        ("footage", {"fps": "30000/1001", "material_fps": "24000/1001"}, "to fill 29.97 fps; their own 23.976"),
        ("footage", {"variable_rate": True}, "even 25 fps"),
        ("footage", {"interlaced": True}, "interlaced"),
        ("footage", {"hdr": True}, "brought to SDR"),
        ("audio_offset", {"sure": False, "words": "not sure (x)"}, "check the sync by eye (not sure (x))"),
        ("audio_offset", {"offset_s": -0.12, "corrected": True}, "120 ms early; this was corrected"),
        ("audio_offset", {"trend": "drift", "trend_words": "the sound drifts by +9 ms a minute"}, "The sound drifts"),
    ],
)
def test_what_the_file_does_is_said(part: str, change: dict[str, Any], words: str) -> None:
    report = fine()
    report[part] |= change
    assert words in " ".join(advice(report))


def test_a_face_in_a_small_part_of_long_footage_is_found(presenter: Path, tmp_path: Path) -> None:
    """2.8 s of talk in 40 s of an empty wall: the first look misses it, the search does not."""
    from lipwright.core.progress import Silent
    from lipwright.media.settings import EncoderSettings
    from lipwright.media.video import VideoReader
    from lipwright.media.writer import VideoWriter
    from lipwright.subject.look import look

    with VideoReader(presenter, Fraction(5), end_s=Fraction(2), size=(192, 192)) as reader:
        talk = [frame.rgb8 for frame in reader]
    wall = np.full((192, 192, 3), 90, np.uint8)
    with VideoWriter(tmp_path / "clip.mp4", (192, 192), Fraction(5), EncoderSettings(crf=14, gop=5)) as writer:
        for t in range(200):
            writer.write(talk[t % 10] if 160 <= t < 174 else wall)
    seen = look(tmp_path / "clip.mp4", Fraction(0), Fraction(40), Silent())
    assert (seen.faces, seen.size, seen.work_size) == (1, (192, 192), (192, 192))
    with pytest.raises(FootageError, match="no face was found"):
        look(tmp_path / "clip.mp4", Fraction(0), Fraction(30), Silent())
