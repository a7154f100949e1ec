"""Every codec in every file that holds it: length, sound, colours, keyframes, planes as they were given."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from lipwright.core.clock import n_frames
from lipwright.media.audio import read_audio
from lipwright.media.codecs import SUFFIXES, VIDEO
from lipwright.media.color import ColorTags
from lipwright.media.probe import probe
from lipwright.media.video import VideoReader
from lipwright.media.writer import EncoderSettings, VideoWriter

PAIRS = [(name, suffix) for name, codec in VIDEO.items() for suffix in codec.suffixes]
RATES = [Fraction(24_000, 1001), Fraction(24), Fraction(25), Fraction(30_000, 1001), Fraction(30), Fraction(50)]
RATES += [Fraction(60_000, 1001), Fraction(60)]
FINE = {"h264": 4, "hevc": 4, "vp9": 4, "av1": 6, "prores": 1}
PATCHES = np.uint8(
    [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0], [0, 255, 255], [255, 0, 255], [250, 250, 250],
     [5, 5, 5], [128, 128, 128], [220, 170, 140], [90, 60, 50], [30, 60, 200]]
)  # fmt: skip


def quick(codec: str, **options: Any) -> EncoderSettings:
    fast = {"preset": "ultrafast"} if codec != "prores" else {}
    return EncoderSettings(codec=codec, threads=1, **(fast | options))


def write(path: Path, pictures: list[Any], settings: EncoderSettings, **options: Any) -> Path:
    first = pictures[0]
    size = first.shape[1::-1] if isinstance(first, np.ndarray) else first.size
    with VideoWriter(path, size, options.pop("fps", Fraction(25)), settings, **options) as writer:
        for picture in pictures:
            writer.write(picture)
    return path


def test_every_suffix_has_a_codec_of_its_own() -> None:
    assert {s for _, s in PAIRS} == set(SUFFIXES)


@pytest.mark.parametrize("fps", RATES, ids=lambda f: f"{float(f):.2f}")
@pytest.mark.parametrize(("codec", "suffix"), PAIRS)
def test_a_file_ends_within_a_frame_of_its_sound(
    tmp_path: Path, draw_number: Callable, codec: str, suffix: str, fps: Fraction
) -> None:
    sound = 0.1 * np.sin(np.arange(18_777, dtype=np.float32) / 5)
    length = Fraction(len(sound), 16_000)
    frames = [draw_number(i % 256) for i in range(n_frames(len(sound), fps))]
    path = write(tmp_path / f"a{suffix}", frames, quick(codec), fps=fps, audio=sound)
    info = probe(path)
    assert info.video is not None
    assert (info.video.fps, info.video.start_s) == (fps, 0)
    with VideoReader(path) as reader:
        n = sum(1 for _ in reader)
    assert n == len(frames)
    assert 0 <= n / fps - length < 1 / fps
    assert abs(len(read_audio(path)) - len(sound)) <= 1
    with av.open(str(path)) as container:  # and so says the file itself, to the container's own precision
        assert container.duration is not None
        assert abs(Fraction(container.duration, av.time_base) - length) < 1 / fps + Fraction(1, 1000)


@pytest.mark.parametrize(
    ("codec", "suffix", "sound_codec"),
    [
        ("h264", ".mp4", None),
        ("hevc", ".m4v", None),
        ("vp9", ".mp4", None),
        ("h264", ".mov", "aac"),
        ("h264", ".mkv", "aac"),
        ("h264", ".mkv", "opus"),
        ("vp9", ".webm", None),
        ("h264", ".mkv", "flac"),
        ("prores", ".mkv", "flac"),
        ("prores", ".mov", None),
        ("prores", ".mov", "pcm_s16le"),
    ],
)
@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
def test_sound_begins_at_sample_0_and_ends_with_the_last(
    tmp_path: Path, draw_number: Callable, codec: str, suffix: str, sound_codec: str | None, rate: int
) -> None:
    t = np.arange(rate + 123) / rate
    sound = np.zeros(len(t), np.float32)
    edge = rate // 50
    sound[:edge] = sound[-edge:] = 0.5 * np.cos(2 * np.pi * 300 * t[:edge])
    sound[rate // 2 : rate // 2 + rate // 1000] = 0.8
    settings = quick(codec, audio_codec=sound_codec)
    path = write(tmp_path / f"s{suffix}", [draw_number(0)] * 26, settings, audio=sound, audio_rate=rate)
    back = read_audio(path, rate)
    first = rate // 4 + int(np.argmax(np.abs(back[rate // 4 : 3 * rate // 4]) > 0.3))
    assert abs(first - rate // 2) <= rate // 1000
    padding = 1024 if (suffix, sound_codec) == (".mkv", "aac") else 1
    assert 0 <= len(back) - len(sound) + 1 <= padding + 1
    for part in (slice(0, edge), slice(len(sound) - edge, len(sound))):
        heard, given = back[part], sound[part]
        assert np.corrcoef(heard, given)[0, 1] > 0.9
        assert np.sqrt(np.mean(heard**2) / np.mean(given**2)) == pytest.approx(1, abs=0.2)


@pytest.mark.parametrize(("suffix", "codec"), [(".mkv", "flac"), (".mov", "pcm_s16le"), (".mov", "pcm_s24le")])
def test_sixteen_bit_sound_comes_back_bit_for_bit(
    tmp_path: Path, draw_number: Callable, suffix: str, codec: str
) -> None:
    whole = np.random.default_rng(0).integers(-32_768, 32_768, (16_000, 2))
    sound = (whole / 32_768).astype(np.float32)
    settings = quick("h264", audio_codec=codec)
    path = write(tmp_path / f"s{suffix}", [draw_number(0)] * 9, settings, audio=sound, audio_rate=44_100)
    with av.open(str(path)) as container:
        back = np.concatenate([f.to_ndarray().reshape(-1, 2) for f in container.decode(audio=0)])
    assert (back >> (16 if back.dtype == np.int32 else 0) == whole).all()


def rgb_of(frame: av.VideoFrame, tags: ColorTags) -> np.ndarray:
    """(3, 4, 3) the colours of the patches by ITU-R BT.601 and BT.709 themselves, from the middle of each."""
    bits = frame.format.components[0].bits
    kind = np.uint8 if bits == 8 else np.uint16
    yuv = []
    for plane in frame.planes[:3]:
        rows = np.frombuffer(plane, kind).reshape(plane.height, -1)[:, : plane.width].astype(float) / 2 ** (bits - 8)
        tall, wide = plane.height // 3, plane.width // 4
        cells = rows.reshape(3, tall, 4, wide)[:, tall // 4 : -(tall // 4), :, wide // 4 : -(wide // 4)]
        yuv.append(cells.mean((1, 3)))
    y, cb, cr = yuv
    if tags.range == "limited":
        y, cb, cr = (y - 16) * 255 / 219, (cb - 128) * 255 / 224, (cr - 128) * 255 / 224
    else:
        cb, cr = cb - 128, cr - 128
    kr, kb = (0.2126, 0.0722) if tags.space == "bt709" else (0.299, 0.114)
    red, blue = y + 2 * (1 - kr) * cr, y + 2 * (1 - kb) * cb
    return np.stack([red, (y - kr * red - kb * blue) / (1 - kr - kb), blue], axis=-1)


@pytest.mark.parametrize("space", ["bt709", "smpte170m"])
@pytest.mark.parametrize("depth", ["limited", "full"])
@pytest.mark.parametrize(("codec", "suffix"), [(c, s) for c, s in PAIRS if s != ".m4v"])
def test_colours_mean_what_their_tags_say(tmp_path: Path, codec: str, suffix: str, depth: str, space: str) -> None:
    tags = ColorTags(depth, space, space, space)
    picture = np.ascontiguousarray(PATCHES.reshape(3, 4, 3).repeat(32, 0).repeat(32, 1))
    path = write(tmp_path / f"c{suffix}", [picture] * 3, quick(codec, crf=FINE[codec]), color=tags)
    info = probe(path).video
    assert info is not None
    expected = ColorTags("limited", space, space, space) if codec == "prores" else tags
    assert info.color == expected
    with av.open(str(path)) as container:
        frame = list(container.decode(video=0))[1]
    assert np.abs(rgb_of(frame, info.color) - PATCHES.reshape(3, 4, 3)).max() < 2
    if suffix in (".mp4", ".mov"):
        assert b"colr" in path.read_bytes()


@pytest.mark.parametrize(("codec", "suffix"), [(c, s) for c, s in PAIRS if s in (".mp4", ".mov", ".webm")])
def test_keyframes_let_a_player_seek(tmp_path: Path, codec: str, suffix: str) -> None:
    """At most five seconds apart when left open, exactly `gop` apart when asked for."""
    still = np.full((48, 64, 3), 90, np.uint8)
    for gop, expected in ((None, 30), (7, 7)):
        if codec == "prores":
            expected = 1
        path = write(tmp_path / f"k{suffix}", [still] * 65, quick(codec, gop=gop), fps=Fraction(6))
        with av.open(str(path)) as container:
            keys = [i for i, p in enumerate(p for p in container.demux(video=0) if p.size) if p.is_keyframe]
        steps = set(np.diff(keys).tolist())
        assert max(steps) <= expected
        assert gop is None or steps == {expected}


@pytest.mark.parametrize(("codec", "suffix"), PAIRS)
@pytest.mark.parametrize("n", [1, 2, 3])
def test_clips_of_a_few_frames(
    tmp_path: Path, draw_number: Callable, read_number: Callable, codec: str, suffix: str, n: int
) -> None:
    path = write(tmp_path / f"n{suffix}", [draw_number(i) for i in range(n)], quick(codec, preset=None))
    with VideoReader(path) as reader:
        assert [read_number(f.rgb8) for f in reader] == list(range(n))


@pytest.mark.parametrize("codec", list(VIDEO))
def test_encoders_keep_quiet(
    tmp_path: Path, draw_number: Callable, capfd: pytest.CaptureFixture[str], codec: str
) -> None:
    """x265 and SVT write to the descriptor themselves, which would tear progress bars apart."""
    write(tmp_path / "q.mkv", [draw_number(0)] * 3, quick(codec))
    assert capfd.readouterr() == ("", "")


def test_hevc_is_tagged_for_apple_players(tmp_path: Path, draw_number: Callable) -> None:
    for suffix in (".mp4", ".mov", ".m4v"):
        data = write(tmp_path / f"h{suffix}", [draw_number(0)] * 2, quick("hevc")).read_bytes()
        assert b"hvc1" in data
        assert b"hev1" not in data


@pytest.mark.parametrize("suffix", [".mkv", ".webm"])
def test_the_index_of_matroska_comes_first_too(tmp_path: Path, draw_number: Callable, suffix: str) -> None:
    settings = EncoderSettings(preset="ultrafast", threads=1)
    data = write(tmp_path / f"i{suffix}", [draw_number(i) for i in range(30)], settings).read_bytes()
    cues, cluster = bytes.fromhex("1c53bb6b"), bytes.fromhex("1f43b675")
    assert 0 < data.rindex(cues) < data.index(cluster)
