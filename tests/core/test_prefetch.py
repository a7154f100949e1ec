from __future__ import annotations

import gc
import threading

import pytest

from lipwright.core.prefetch import Prefetch


def test_items_are_those_asked_for_in_any_order() -> None:
    squares = Prefetch(lambda i: i * i, workers=2)
    assert [squares[i] for i in (0, 1, 2, 3, 10, 4)] == [0, 1, 4, 9, 100, 16]
    assert squares.rate > 0
    assert squares.wait_s >= 0


def test_the_next_item_is_made_while_this_one_is_used() -> None:
    made = {i: threading.Event() for i in range(9)}

    def make(i: int) -> int:
        made[i].set()
        return i

    ahead = Prefetch(make)
    assert ahead[0] == 0
    assert made[1].wait(5)
    assert not made[4].is_set(), "no further than its threads and one"


def test_a_fault_reaches_whoever_asks() -> None:
    def make(i: int) -> int:
        raise ValueError(f"item {i} is broken")

    with pytest.raises(ValueError, match="item 5 is broken"):
        Prefetch(make)[5]


def test_its_threads_end_with_it() -> None:
    before = set(threading.enumerate())
    ahead = Prefetch(lambda i: i, workers=2)
    assert ahead[0] == 0
    threads = set(threading.enumerate()) - before
    assert threads
    del ahead
    gc.collect()
    for thread in threads:
        thread.join(5)
    assert not any(thread.is_alive() for thread in threads)
