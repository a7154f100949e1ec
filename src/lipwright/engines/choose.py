"""Which engine is fastest here: measured once for a kind of network, machine and versions, then remembered."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from lipwright.core.contracts import F32
from lipwright.core.errors import OutputError
from lipwright.core.files import write_json
from lipwright.core.progress import Progress, Silent
from lipwright.engines.engine import Engine, engine_folder, package_version, read_json
from lipwright.engines.network import FORM, Network
from lipwright.engines.running import checked, cores

ENVIRONMENT = "LIPWRIGHT_ENGINE"
"""What 'auto' means where it is set."""
_ROUNDS, _SECONDS = 5, 3.0
"""Timed calls of each engine; fewer when they take longer than this."""
_WORTH = 0.95
"""Of torch's time at most, or torch stays."""


def choose(
    asked: str, network: Network, precision: str = "auto", device: str = "cpu", progress: Progress | None = None
) -> Engine:
    """The engine for a part whose main network is given.

    Args:
        asked: 'auto' takes the one that needs the least processor time for a picture (on a GPU: the least time);
            what cannot run is left out with a note. Another name is taken as it is, and torch where it cannot run.
        device: where torch runs.
    ConfigError for an unknown engine or precision.
    """
    wanted = os.environ.get(ENVIRONMENT, asked) if asked == "auto" else asked
    checked(wanted, precision)
    if wanted != "auto":
        return Engine(wanted, precision)
    candidates = ("openvino", "onnxruntime") if device == "cpu" else ("tensorrt",)
    here = [name for name in candidates if package_version(name) is not None]
    if not here or package_version("onnxscript") is None:
        return Engine("torch", precision)
    file, key = engine_folder() / "choices.json", _key(network, precision, device, here)
    known = read_json(file)
    found = known.get(key)
    if not isinstance(found, dict) or found.get("engine") not in ("torch", *here):
        found = _measured(network, precision, device, here, progress or Silent())
        with suppress(OutputError):  # a folder that cannot be written is measured again next time
            write_json(file, {**read_json(file), key: found})
    engine = Engine(str(found["engine"]), precision)
    engine.notes += [str(note) for note in found.get("notes", [])]
    return engine


def _measured(
    network: Network, precision: str, device: str, candidates: list[str], progress: Progress
) -> dict[str, Any]:
    """Milliseconds of each engine, and the best."""
    progress.start("compare engines, once", len(candidates) + 1)
    inputs, notes = network.example(), []
    ways: dict[str, Callable[..., tuple[F32, ...]]] = {"torch": network.plain}
    for done, name in enumerate(candidates, 1):
        engine = Engine(name, precision)
        run = engine.start(network)
        notes += engine.notes
        if run is not None:
            ways[name] = run
        progress.update(done)
    clock = time.process_time if device == "cpu" else time.perf_counter
    ms = {name: 1000 * _least(way, inputs, clock) for name, way in ways.items()}
    progress.finish()
    best = min(ms, key=lambda name: ms[name])
    if ms[best] > _WORTH * ms["torch"]:
        best = "torch"
    rounded = {name: round(value, 3) for name, value in ms.items()}
    return {"network": dict(network.shape), "engine": best, "ms": rounded, "notes": notes}


def _least(way: Callable[..., tuple[F32, ...]], inputs: tuple[F32, ...], clock: Callable[[], float]) -> float:
    """Seconds of the quickest call: other work on the machine only ever adds."""
    way(*inputs)
    least, until = float("inf"), time.perf_counter() + _SECONDS
    for _ in range(_ROUNDS):
        began = clock()
        way(*inputs)
        least = min(least, clock() - began)
        if time.perf_counter() > until:
            break
    return least


def _key(network: Network, precision: str, device: str, candidates: list[str]) -> str:
    """Everything that a measurement depends on."""
    where = [_processor(), cores(), device, precision, FORM]
    versions = {name: package_version(name) for name in ("torch", *candidates)}
    told = json.dumps([where, versions, network.name, dict(network.shape)], sort_keys=True, default=str)
    return hashlib.sha256(told.encode()).hexdigest()[:24]


def _processor() -> str:
    with suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return platform.processor() or platform.machine()
