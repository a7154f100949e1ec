"""Pictures by number from something that reads forwards or backwards, without reading anything twice in a row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from lipwright.compose.tape import Steps

P = TypeVar("P")

Read = Callable[[int, "int | None"], Iterator[P]]
"""(first, count) -> pictures first, first + 1, ... (or downwards); None for as many as there are."""
_REACH = 12
"""Frames further on that are cheaper to decode and drop than to seek to: a keyframe group of `media.settings.STORE`."""


class Playhead(Generic[P]):
    """Shows pictures by number; neighbours in either direction come from one open reader."""

    def __init__(self, read: Read[P], backward: Read[P]) -> None:
        self._open = {1: read, -1: backward}
        self._pictures: Iterator[P] | None = None
        self._way, self._index = 1, -1
        self._picture: P | None = None

    def far(self, index: int) -> bool:
        """Whether showing `index` needs a new place in the file."""
        return self._pictures is None or abs(index - self._index) > _REACH

    def show(self, index: int) -> P:
        """The picture of that number."""
        if self._picture is not None and index == self._index:
            return self._picture
        near = not self.far(index)
        way = -1 if near and index < self._index else 1
        if not near or way != self._way:
            self.close()
            self._pictures, self._way, self._index = iter(self._open[way](index, None)), way, index - way
        assert self._pictures is not None
        while self._index != index:
            self._picture = next(self._pictures)
            self._index += way
        assert self._picture is not None
        return self._picture

    def close(self) -> None:
        """Let go of the reader and the picture."""
        stop = getattr(self._pictures, "close", None)
        if stop is not None:
            stop()
        self._pictures, self._picture = None, None


def play(blocks: Iterator[Steps], read: Read[P], backward: Read[P], blend: Callable[[P, P, float], P]) -> Iterator[P]:
    """The pictures of blocks of steps. Two readers are open during cross-fades only, else one."""
    head, other = Playhead(read, backward), Playhead(read, backward)
    try:
        for steps in blocks:
            for i, j, w in zip(steps.i.tolist(), steps.j.tolist(), steps.w.tolist(), strict=True):
                if head.far(i) and not other.far(i):  # after a cross-fade the second reader goes on
                    head, other = other, head
                picture = head.show(i)
                if w > 0:
                    yield blend(picture, other.show(j), w)
                    continue
                other.close()
                yield picture
    finally:
        head.close()
        other.close()
