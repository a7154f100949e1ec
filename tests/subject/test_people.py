"""Footage with what happens to real people: they leave, are cut away, covered, black, two at once."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from lipwright.core.contracts import F32, U8
from lipwright.core.errors import ConfigError, FootageError, OutputError
from lipwright.face.usable import Reason
from lipwright.media.audio import read_audio
from lipwright.media.video import VideoReader
from lipwright.subject.prepare import persons_sheet, prepare
from lipwright.subject.store import Subject

Film = Callable[..., Path]
SIDE = 256


@pytest.fixture(scope="session")
def long_talk(presenter: Path) -> tuple[list[U8], F32]:
    """(250 frames, 10 s of sound) of the presenter."""
    with VideoReader(presenter, start_s=Fraction(6), end_s=Fraction(16), size=(SIDE, SIDE)) as reader:
        frames = [f.rgb8 for f in reader]
    return frames, read_audio(presenter, 16_000, Fraction(6), Fraction(16))


def hand(frame: U8, share: float) -> U8:
    """A blotched patch over the mouth, slid in from below."""
    covered = frame.copy()
    top = round(SIDE * (1 - 0.45 * share))
    rng = np.random.default_rng(3)
    patch = rng.normal((150, 96, 60), 14, (SIDE, SIDE, 3)).clip(0, 255).astype(np.uint8)
    covered[top:, 60:200] = cv2.GaussianBlur(patch, (0, 0), 2)[top:, 60:200]
    return covered


@pytest.fixture(scope="module")
def eventful(long_talk: tuple[list[U8], F32], tmp_path_factory: pytest.TempPathFactory) -> Subject:
    """10 s: 2 s of talk, 1 s of an empty wall, talk, 1 s of black, a cut to a closer shot, a hand around 8.5 s."""
    from lipwright.media.settings import EncoderSettings
    from lipwright.media.writer import VideoWriter

    frames, sound = long_talk
    wall = np.full((SIDE, SIDE, 3), (90, 110, 120), np.uint8)
    wall[::16] = 70
    made: list[U8] = []
    for t, frame in enumerate(frames):
        if 50 <= t < 75:
            frame = wall
        elif 125 <= t < 150:
            frame = np.zeros_like(frame)
        elif t >= 150:
            frame = cv2.resize(frame[20:212, 36:228], (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
        if 192 <= t < 233:
            frame = hand(frame, min((t - 192) / 8, (233 - t) / 8, 1.0))
        made.append(np.ascontiguousarray(frame))
    folder = tmp_path_factory.mktemp("eventful")
    with VideoWriter(folder / "clip.mp4", (SIDE, SIDE), Fraction(25), EncoderSettings(crf=12), audio=sound) as writer:
        for frame in made:
            writer.write(frame)
    return prepare(folder / "clip.mp4", folder / "s")


def reasons_at(subject: Subject, second: float) -> set[str]:
    parts = subject.report["unusable"]
    return {p["reason"] for p in parts if p["start_s"] <= second < p["stop_s"]}


def test_each_unusable_stretch_has_its_reason(eventful: Subject) -> None:
    assert reasons_at(eventful, 2.5) == {Reason.NO_FACE.value}
    assert reasons_at(eventful, 5.5) == {Reason.BLEND.value}
    assert reasons_at(eventful, 8.5) == {Reason.COVERED.value}
    for fine in (1.0, 4.0, 7.0, 9.8):
        assert reasons_at(eventful, fine) == set()
    good = eventful.track.good
    assert not good[52:73].any()
    assert not good[127:148].any()
    assert not good[204:221].any()
    assert good[5:45].all()
    assert good[160:190].all()
    assert eventful.report["usable_share"] == pytest.approx(good.mean(), abs=1e-4)
    assert eventful.report["usable_s"] == pytest.approx(good.sum() / 25, abs=0.01)
    assert set(eventful.usable("train")) == set(np.flatnonzero(good)) & set(eventful.split("train"))
    told = " ".join(eventful.advice)
    assert "a hand or object covers the mouth" in told
    assert "frames show no face; they are left out of training" in told


def test_shots_are_kept_apart_and_the_person_is_one(eventful: Subject) -> None:
    assert eventful.report["faces"] == 1
    starts = eventful.report["shot_starts_s"]
    assert any(abs(s - 6) <= 0.12 for s in starts)
    assert np.isfinite(eventful.track.landmarks_px).all()
    wide = np.ptp(eventful.track.landmarks_px[:, :, 0], axis=1)
    assert np.median(wide[160:190]) > 1.2 * np.median(wide[5:45]), "no smoothing across the cut"


def test_the_page_is_a_picture(eventful: Subject) -> None:
    page = cv2.imread(str(eventful.path / "report.png"))
    assert page is not None
    assert page.shape[0] > 500
    assert page.shape[1] > 800
    assert page.std() > 20


def couple(talk: tuple[list[U8], F32]) -> list[U8]:
    """A small presenter on the left of a large one that speaks other words."""
    frames = talk[0][:75]
    small = [cv2.resize(f, (200, 200)) for f in frames]
    return [
        np.hstack([np.vstack([s, np.full((56, 200, 3), 70, np.uint8)]), f])
        for s, f in zip(small, talk[0][75:150], strict=True)
    ]


def test_who_is_there_is_drawn_with_numbers_that_choose(
    long_talk: tuple[list[U8], F32], film: Film, tmp_path: Path
) -> None:
    clip = film(couple(long_talk), long_talk[1][:48_000])
    assert persons_sheet(clip, tmp_path / "s", tmp_path / "who.png") == 2
    sheet = cv2.imread(str(tmp_path / "who.png"))
    assert sheet.shape[1] == 2 * 240
    assert sheet[:240, :240].std() > 20
    assert sheet[:240, 240:].std() > 20
    tracked = next((tmp_path / "s" / ".work").rglob("*.npz")).stat().st_mtime_ns
    second = prepare(clip, tmp_path / "s", face=1)
    assert (second.track.landmarks_px[:, 30, 0] < 190).all()
    assert second.track.present.all()
    boxed = prepare(clip, tmp_path / "b", box=(20, 20, 180, 190))
    np.testing.assert_allclose(boxed.track.landmarks_px, second.track.landmarks_px, atol=1)
    assert tracked
    with pytest.raises(FootageError, match="no face is ever seen in the box"):
        prepare(clip, tmp_path / "c", box=(0, 0, 5, 5))
    with pytest.raises(ConfigError, match="choose the person by one of them"):
        prepare(clip, tmp_path / "c", box=(0, 0, 5, 5), face=0)
    with pytest.raises(ConfigError, match=r"name it \.png"):
        persons_sheet(clip, tmp_path / "c", tmp_path / "who.gif")


@pytest.mark.parametrize("rate", ["30000/1001", "50", "24"])
def test_footage_keeps_its_own_rate(
    presenter: Path, tmp_path: Path, rate: str, film: Film, long_talk: tuple[list[U8], F32]
) -> None:
    from lipwright.media.settings import EncoderSettings
    from lipwright.media.writer import VideoWriter

    fps = Fraction(rate)
    frames, sound = long_talk
    n = int(3 * fps)
    at = np.linspace(0, 74, n)
    with VideoWriter(
        tmp_path / "clip.mp4", (SIDE, SIDE), fps, EncoderSettings(crf=14), audio=sound[: round(n / fps * 16_000)]
    ) as writer:
        for t in at:  # pictures in between are blends, so that no cadence is seen
            a, b = frames[int(t)], frames[min(int(t) + 1, 74)]
            writer.write(cv2.addWeighted(a, 1 - t % 1, b, t % 1, 0))
    subject = prepare(tmp_path / "clip.mp4", tmp_path / "s")
    assert subject.info["fps"] == rate
    assert subject.fps == fps
    assert len(subject) == len(subject.frames) == len(subject.track) == len(subject.contour_px) == n
    assert subject.frames.fps == fps
    assert len(subject.samples) == round(n / fps * 16_000)
    assert subject.track.present.all()
    assert subject.report["length_s"] == pytest.approx(float(n / fps), abs=1e-3)
    if rate == "24":
        assert len(prepare(tmp_path / "clip.mp4", tmp_path / "at25", fps=25)) == pytest.approx(75, abs=1)


def test_a_damaged_middle_is_stepped_over_and_named(long_talk: tuple[list[U8], F32], tmp_path: Path) -> None:
    from lipwright.media.settings import EncoderSettings
    from lipwright.media.writer import VideoWriter

    frames, sound = long_talk
    settings = EncoderSettings(crf=12, gop=25, bframes=0)
    with VideoWriter(tmp_path / "clip.mp4", (SIDE, SIDE), Fraction(25), settings, audio=sound) as writer:
        for frame in frames:
            writer.write(frame)
    data = bytearray((tmp_path / "clip.mp4").read_bytes())
    middle = len(data) // 2
    data[middle : middle + len(data) // 12] = bytes(len(data) // 12)
    (tmp_path / "hurt.mp4").write_bytes(bytes(data))
    subject = prepare(tmp_path / "hurt.mp4", tmp_path / "s")
    assert len(subject) == 250
    assert len(subject.samples) == 160_000
    assert subject.report["damaged_s"]
    start, stop = subject.report["damaged_s"][0]
    assert 3 < start < stop < 9
    assert Reason.DAMAGED.value in {p["reason"] for p in subject.report["unusable"]}
    assert not subject.track.good[round(25 * start) + 1 : round(25 * stop) - 1].any()
    assert subject.track.good[:50].all()
    assert "of the file are damaged" in " ".join(subject.advice)


def test_ten_bits_stay_ten_bits(long_talk: tuple[list[U8], F32], tmp_path: Path) -> None:
    from lipwright.media.color import ColorTags
    from lipwright.media.settings import EncoderSettings
    from lipwright.media.writer import VideoWriter

    tags = ColorTags("full", "bt709", "bt709", "bt709")
    settings = EncoderSettings(crf=10, pix_fmt="yuv422p10le")
    with VideoWriter(tmp_path / "clip.mp4", (SIDE, SIDE), Fraction(25), settings, color=tags) as writer:
        for frame in long_talk[0][:55]:
            writer.write(frame)
    subject = prepare(tmp_path / "clip.mp4", tmp_path / "s", need_sound=False)
    assert subject.frames.info.pix_fmt == "yuv422p10le"
    assert subject.info["color"] == {"range": "full", "space": "bt709", "primaries": "bt709", "transfer": "bt709"}
    assert subject.report["footage"]["pix_fmt"] == "yuv422p10le"
    assert subject.track.present.all()


def test_a_disk_that_is_too_small_is_noticed_early(
    long_talk: tuple[list[U8], F32], film: Film, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from collections import namedtuple

    from lipwright.subject import segments

    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(segments, "SEGMENT_S", 1)
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage(10**9, 10**9, 100_000))
    clip = film(long_talk[0][:75], long_talk[1][:48_000])
    with pytest.raises(OutputError, match=r"needs about 0\.0 GB more"):
        prepare(clip, tmp_path / "s")
    assert len(list((tmp_path / "s").rglob("*.npz"))) == 1
