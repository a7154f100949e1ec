from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from tests.begun import begun
from threadpoolctl import threadpool_info

from lipwright.core.overlap import Behind, ahead, spread
from lipwright.core.stages import Meter, stage
from lipwright.core.threads import one_blas_thread, one_thread_each, one_torch_thread


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
    made, before = [], set(threading.enumerate())
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
    assert not begun(before)


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


def numbers(closed: list[bool], stop_at: int = 10**6) -> Iterator[int]:
    try:
        yield from range(stop_at)
    finally:
        closed.append(True)


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_spread_work_comes_back_in_order_whoever_is_slow(workers: int) -> None:
    """The first item is held back until another is done, where there is another thread to do it."""
    other = threading.Event()

    def work(item: int) -> int:
        if item == 0 and workers > 1:
            assert other.wait(10)
        if item == 1:
            other.set()
        return item * item

    before = set(threading.enumerate())
    assert list(spread(iter(range(40)), [work] * workers)) == [i * i for i in range(40)]
    assert not begun(before)


def test_spread_takes_no_more_than_there_is_room_for_and_stops_when_left() -> None:
    taken, closed, before = [], list[bool](), set(threading.enumerate())

    def noted() -> Iterator[int]:
        for i in numbers(closed):
            taken.append(i)
            yield i

    stage = spread(noted(), [lambda i: i] * 2, depth=3)
    assert next(stage) == 0
    stage.close()  # type: ignore[attr-defined]
    assert len(taken) <= 1 + 3 + 2
    assert closed == [True]
    assert not begun(before)


@pytest.mark.parametrize("error", [ValueError("broken"), KeyboardInterrupt()])
@pytest.mark.parametrize("where", ["work", "items"])
def test_errors_of_spread_work_surface_after_what_came_before(error: BaseException, where: str) -> None:
    def items() -> Iterator[int]:
        for i in range(100):
            if where == "items" and i == 7:
                raise error
            yield i

    def work(item: int) -> int:
        if where == "work" and item == 7:
            raise error
        return item

    before, seen = set(threading.enumerate()), []
    with pytest.raises(type(error)):
        seen.extend(iter_into(spread(items(), [work] * 3), seen))
    assert seen == list(range(7))
    assert not begun(before)


def iter_into(source: Iterator[int], seen: list[int]) -> list[int]:
    for item in source:
        seen.append(item)
    return []


def test_what_reads_ahead_is_closed_when_left() -> None:
    closed: list[bool] = []
    stage = ahead(numbers(closed), depth=2)
    next(stage)
    stage.close()  # type: ignore[attr-defined]
    assert closed == [True]


def test_an_abandoned_sink_consumes_no_more_and_keeps_its_error_to_itself() -> None:
    begun, go, got = threading.Event(), threading.Event(), list[int]()

    def consume(item: int) -> None:
        begun.set()
        assert go.wait(10)
        got.append(item)
        raise OSError("disk full")

    sink = Behind(consume, depth=5)
    for i in range(4):
        sink.put(i)
    assert begun.wait(10)
    threading.Timer(0.05, go.set).start()
    sink.abandon()
    assert got == [0]


def test_a_meter_counts_stages_apart_and_waits_beside_them(monkeypatch: pytest.MonkeyPatch) -> None:
    now = {"thread_time": 5.0, "process_time": 50.0, "perf_counter": 9.0}
    for clock in now:
        monkeypatch.setattr(f"lipwright.core.stages.time.{clock}", lambda clock=clock: now[clock])
    meter = Meter()
    with meter.follow("draw"):
        now["thread_time"] += 2
        with stage("sew"):
            now["thread_time"] += 1
        now["thread_time"] += 4
        with meter.waiting("queue"):
            now["perf_counter"] += 3
    now["perf_counter"] += 9
    now["process_time"] += 10
    assert meter.cpu_s() == {"draw": 6.0, "sew": 1.0, "libraries": 3.0}, "what is inside another stage counts there"
    assert meter.waits() == {"queue": 0.25}
    with stage("nobody follows"):
        now["thread_time"] += 1
    assert "nobody follows" not in meter.cpu_s()


def test_libraries_get_their_threads_back() -> None:
    import cv2
    import torch

    def blas() -> list[int]:
        return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]

    before = cv2.getNumThreads(), torch.get_num_threads(), blas()
    seen: list[int] = []
    with one_thread_each(), one_thread_each():
        assert set(blas()) == {1}
        thread = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
        thread.start()
        thread.join()
        assert cv2.getNumThreads() == 1
    assert seen == [1]
    assert (cv2.getNumThreads(), torch.get_num_threads(), blas()) == before
    with one_blas_thread(), one_blas_thread():
        assert set(blas()) == {1}
    assert blas() == before[2]
    for count in (1, 3):
        torch.set_num_threads(count)
        with one_torch_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == count
    torch.set_num_threads(before[1])
