from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from lipwright.core.overlap import Behind, ahead


def test_order_is_kept() -> None:
    assert list(ahead(iter(range(100)), depth=3)) == list(range(100))


def test_errors_of_the_source_surface() -> None:
    def source() -> Iterator[int]:
        yield 1
        raise ValueError("broken packet")

    stage = ahead(source())
    assert next(stage) == 1
    with pytest.raises(ValueError, match="broken packet"):
        next(stage)


def test_never_more_than_depth_ahead_and_stops_when_left() -> None:
    made, before = [], threading.active_count()
    closed = threading.Event()

    def source() -> Iterator[int]:
        try:
            for i in range(1000):
                made.append(i)
                yield i
        finally:
            closed.set()

    stage = ahead(source(), depth=2)
    assert next(stage) == 0
    stage.close()  # type: ignore[attr-defined]
    assert len(made) <= 5
    assert threading.active_count() == before


def fill(sink: Behind[int]) -> None:
    for i in range(100):
        sink.put(i)


def test_consumer_errors_surface_and_do_not_block() -> None:
    def consume(item: int) -> None:
        raise OSError(f"disk full at {item}")

    sink = Behind(consume, depth=1)
    sink.put(1)
    with pytest.raises(OSError, match="disk full at 1"):
        fill(sink)
    with pytest.raises(OSError, match="disk full at 1"):
        sink.close()


def test_everything_is_consumed_in_order() -> None:
    got: list[int] = []
    sink = Behind(got.append)
    for i in range(50):
        sink.put(i)
    sink.close()
    assert got == list(range(50))
