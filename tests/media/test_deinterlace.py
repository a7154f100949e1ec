"""Interlaced footage becomes whole pictures at exact times; footage only flagged so is left alone."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.filter import Graph

from lipwright.media.deinterlace import deinterlaced, fields_of
from lipwright.media.probe import probe
from lipwright.media.video import VideoReader

WIDTH, HEIGHT, N = 160, 112, 24


def scene(moment: int) -> np.ndarray:
    """(H, W) luma: a bright block moving 3 pixels each field, over a ramp."""
    picture = np.full((HEIGHT, WIDTH), 60, np.uint8)
    picture[:16] = np.linspace(30, 200, WIDTH).astype(np.uint8)
    left = 10 + 3 * moment % (WIDTH - 50)
    picture[30:90, left : left + 30] = 220
    return picture


def interlaced_clip(path: Path, first: str, flag: str, codec: str = "mpeg2video", n: int = N) -> Path:
    """Frame i holds moment 2 i in its `first` field (top, bottom, or `both`: progressive) and 2 i + 1 in the other."""
    graph = Graph()
    source = graph.add_buffer(width=WIDTH, height=HEIGHT, format="yuv420p", time_base=Fraction(1, 25))
    graph.link_nodes(source, graph.add("setfield", mode=flag), graph.add("buffersink")).configure()
    with av.open(str(path), "w") as output:
        options = {} if flag == "prog" else {"flags": "+ildct+ilme"}
        if codec == "libx264":
            options |= {"crf": "8", "x264-params": "pic-struct=1"}
        stream = output.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.bit_rate = 6_000_000
        for i in range(n):
            luma = scene(2 * i)
            if first != "both":
                late = 1 if first == "top" else 0
                luma[late::2] = scene(2 * i + 1)[late::2]
            frame = av.VideoFrame.from_ndarray(
                np.concatenate([luma.ravel(), np.full(luma.size // 2, 128, np.uint8)]).reshape(-1, WIDTH), "yuv420p"
            )
            frame.pts, frame.time_base = i, Fraction(1, 25)
            graph.push(frame)
            output.mux(stream.encode(graph.pull()))
        output.mux(stream.encode(None))
    return path


def decoded(path: Path) -> tuple[list[av.VideoFrame], int]:
    with av.open(str(path)) as container:
        order = int(container.streams.video[0].codec_context.field_order)
        return list(container.decode(video=0)), order


def luma_of(frame: av.VideoFrame) -> np.ndarray:
    return frame.to_ndarray()[: frame.height].astype(int)


def combing(luma: np.ndarray) -> float:
    """Mean of how far each line stands out against both neighbours more than these differ: teeth of a comb."""
    middle, above, below = luma[1:-1], luma[:-2], luma[2:]
    return float(np.maximum(np.abs(2 * middle - above - below) - 2 * np.abs(above - below) - 20, 0).mean())


@pytest.mark.parametrize("first", ["top", "bottom"])
@pytest.mark.parametrize(("codec", "suffix"), [("mpeg2video", "ts"), ("mpeg2video", "mkv"), ("libx264", "mp4")])
def test_whole_pictures_at_the_same_times(tmp_path: Path, first: str, codec: str, suffix: str) -> None:
    path = interlaced_clip(tmp_path / f"i.{suffix}", first, first[0].replace("t", "tff").replace("b", "bff"), codec)
    frames, order = decoded(path)
    fields = fields_of(frames, order)
    assert fields == {"top": "tff", "bottom": "bff"}[first]
    whole = list(deinterlaced(frames, fields))
    assert [f.pts * f.time_base for f in whole] == [f.pts * f.time_base for f in frames]
    before = np.mean([combing(luma_of(f)) for f in frames])
    after = np.mean([combing(luma_of(f)) for f in whole])
    assert before > 5
    assert after < 0.02 * before
    # The moment is that of the first field: one field off would be 3 pixels, 4 levels on average.
    off = [np.abs(luma_of(f) - scene(2 * i)).mean() for i, f in enumerate(whole)]
    assert max(off[2:]) < 1


def test_a_wrong_flag_for_the_order_is_corrected(tmp_path: Path) -> None:
    frames, order = decoded(interlaced_clip(tmp_path / "w.mkv", "bottom", "tff"))
    assert fields_of(frames, order) == "bff"


def test_progressive_material_flagged_as_interlaced_is_not_touched(tmp_path: Path) -> None:
    path = interlaced_clip(tmp_path / "p.mkv", "both", "tff")
    frames, order = decoded(path)
    assert frames[0].interlaced_frame
    assert fields_of(frames, order) == ""
    assert list(deinterlaced(frames, "")) == frames
    info = probe(path).video
    assert info is not None
    assert info.fields == ""


def test_probe_names_the_first_field_and_plain_footage_has_none(tmp_path: Path) -> None:
    info = probe(interlaced_clip(tmp_path / "i.mkv", "top", "tff")).video
    assert info is not None
    assert info.fields == "tff"
    info = probe(interlaced_clip(tmp_path / "p.mkv", "both", "prog")).video
    assert info is not None
    assert info.fields == ""


@pytest.mark.parametrize("suffix", ["ts", "mkv", "mp4"])
def test_the_reader_gives_whole_pictures_also_after_a_seek(tmp_path: Path, suffix: str) -> None:
    path = interlaced_clip(tmp_path / f"i.{suffix}", "top", "tff", n=40)
    with VideoReader(path) as reader:
        assert reader.fps == 25
        whole = [f.rgb8 for f in reader]
    assert len(whole) == 40
    for first in (1, 17, 29):
        with VideoReader(path, start_s=Fraction(first, 25), end_s=Fraction(first + 2, 25)) as reader:
            part = list(reader)
        assert [f.index for f in part] == [first, first + 1]
        for frame in part:
            np.testing.assert_array_equal(frame.rgb8, whole[frame.index])
