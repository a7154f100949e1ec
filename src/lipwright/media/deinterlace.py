"""Interlaced footage: found by its flags and by looking, and turned into whole pictures, one for each frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import cast

import av
from av.filter import Graph

LOOKED_AT = 60
"""Frames that decide whether footage flagged as interlaced really is."""
BEFORE = 2
"""Frames that must be decoded before the first one wanted: the filter looks one frame back."""
_FIRST_SHOWN = {2: "tff", 3: "bff", 4: "bff", 5: "tff"}
"""AVFieldOrder TT, BB, TB (bottom shown first), BT."""


class FieldCount:
    """Counts how many frames look progressive and how many interlaced (FFmpeg's idet)."""

    def __init__(self) -> None:
        self._filter: _Filter | None = None
        self._seen: dict[str, float] = {}

    def add(self, frame: av.VideoFrame) -> None:
        """One more frame, in order."""
        self._filter = self._filter or _Filter("idet", {})
        for out in self._filter(frame):
            self._seen = {
                kind: float(out.metadata.get(f"lavfi.idet.multiple.{kind}", 0))
                for kind in ("tff", "bff", "progressive")
            }

    @property
    def verdict(self) -> str:
        """What the frames with motion show: `progressive`, `tff`, `bff`, or empty when it is not clear."""
        for kind, count in self._seen.items():
            if count > max(4, 4 * (sum(self._seen.values()) - count)):
                return kind
        return ""


def fields_of(frames: Iterable[av.VideoFrame], field_order: int) -> str:
    """Which field of each frame comes first: `tff`, `bff`, `auto` (as each frame says), empty for whole pictures.

    Only footage that calls itself interlaced is looked at, and the first `LOOKED_AT` frames decide: film and web
    video is often flagged so although it is progressive, where deinterlacing would only soften it, and the order
    of the fields is often flagged wrong, which would make motion stutter. Where nothing moves the flags decide.

    Args:
        frames: the first ones of the track; no more are taken than needed.
        field_order: of the track (FFmpeg's AVFieldOrder: 2 to 5 are interlaced, 1 progressive, 0 unknown).
    """
    count, flagged = FieldCount(), field_order in _FIRST_SHOWN
    for number, frame in enumerate(frames):
        flagged |= frame.interlaced_frame
        if not flagged:
            return ""
        count.add(frame)
        if number + 1 >= LOOKED_AT:
            break
    stated = _FIRST_SHOWN.get(field_order, "auto")
    return {"progressive": "", "": stated}.get(count.verdict, count.verdict)


def deinterlaced(frames: Iterable[av.VideoFrame], fields: str) -> Iterator[av.VideoFrame]:
    """One whole picture for each frame, at the same times: the moment of its first field (FFmpeg's bwdif).

    The first picture has no neighbour before it, so begin `BEFORE` frames early after a seek.

    Args:
        fields: from `fields_of`; frames pass untouched when it is empty.
    """
    if not fields:
        yield from frames
        return
    whole = _Filter("bwdif", {"mode": "send_frame", "parity": fields, "deint": "all"})
    for frame in frames:
        yield from whole(frame)
    yield from whole(None)


class _Filter:
    """One FFmpeg video filter, built for the first frame and again when the format changes."""

    def __init__(self, name: str, options: dict[str, str]) -> None:
        self._name, self._options = name, options
        self._graph: Graph | None = None
        self._shape: tuple[object, ...] = ()

    def __call__(self, frame: av.VideoFrame | None) -> Iterator[av.VideoFrame]:
        """Push a frame (None: the end) and give what comes out."""
        if frame is not None:
            shape = (frame.width, frame.height, frame.format.name, frame.time_base)
            if shape != self._shape:
                yield from self._flushed()
                self._build(*shape)
                self._shape = shape
            assert self._graph is not None
            self._graph.push(frame)
            yield from self._ready()
        else:
            yield from self._flushed()

    def _build(self, width: int, height: int, pix_fmt: str, time_base: Fraction | None) -> None:
        self._graph = Graph()
        source = self._graph.add_buffer(
            width=width,
            height=height,
            format=av.VideoFormat(pix_fmt, width, height),
            time_base=time_base or Fraction(1, 1000),
        )
        stage = self._graph.add(self._name, **self._options)
        self._graph.link_nodes(source, stage, self._graph.add("buffersink")).configure()

    def _flushed(self) -> Iterator[av.VideoFrame]:
        if self._graph is not None:
            self._graph.push(None)
            yield from self._ready()
            self._graph, self._shape = None, ()

    def _ready(self) -> Iterator[av.VideoFrame]:
        assert self._graph is not None
        while True:
            try:
                yield cast(av.VideoFrame, self._graph.pull())
            except (av.error.BlockingIOError, av.error.EOFError):
                return
