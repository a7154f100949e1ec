"""The engine that was chosen: it starts networks from stored files, and falls back to torch with a line saying why."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

from lipwright.core.cache import cache_folder
from lipwright.core.errors import LipwrightError, OutputError
from lipwright.core.files import write_json
from lipwright.engines.network import Network, Runs
from lipwright.engines.onnx_file import write_onnx
from lipwright.engines.parity import LIMITS, parity
from lipwright.engines.running import START, checked

Part = TypeVar("Part", covariant=True)
PACKAGES = {"tensorrt": "onnxruntime-gpu"}
"""Of engines that are called otherwise."""


@runtime_checkable
class Engined(Protocol[Part]):
    """A renderer or motion model whose networks can run elsewhere than in torch."""

    def networks(self) -> list[Network]:
        """All that it may run, the one that decides its speed first."""

    def on(self, engine: Engine) -> Part:
        """The same on another engine; this one stays as it is."""


class Engine:
    """What networks run on.

    Args:
        name: an engine of `START`, or 'torch'.
        precision: 'auto', 'fp32' or 'bf16'.
        threads: of one call.
    Attributes:
        notes: why something runs in torch instead, one line each.
    """

    def __init__(self, name: str, precision: str = "auto", threads: int = 1) -> None:
        checked(name, precision)
        self.name, self.precision, self.threads = name, precision, threads
        self.notes: list[str] = []
        self._lock = threading.Lock()

    def start(self, network: Network) -> Runs | None:
        """The network, running; None leaves it to torch. It is exported, compiled and compared once, then kept."""
        if self.name not in START:
            return None
        with self._lock:
            try:
                return self._started(network)
            except Exception as error:  # another runtime may fail in any way; speaking goes on
                reason = str(error) if isinstance(error, LipwrightError) else f"{type(error).__name__}: {error}"
                self.notes.append(f"{network.name} runs in torch, not in {self.name}: {' '.join(reason.split())[:300]}")
                return None

    def _started(self, network: Network) -> Runs:
        folder = engine_folder()
        file = folder / f"{network.name}-{network.digest()}.onnx"
        known = read_json(file.with_suffix(".json"))
        if not file.is_file():
            write_onnx(network, file)
            known = {}
        run = START[self.name](file, self.precision, self.threads, folder=folder / "compiled")
        what = f"{self.name} {package_version(self.name)} {run.precision}"
        if what not in known:
            error, most = parity(run, network), LIMITS[network.unit][run.precision]
            if not error.rms <= most:
                raise OutputError(f"its result is {error.rms:.3g} {network.unit} from torch's, {most} are allowed")
            with suppress(OutputError):
                write_json(file.with_suffix(".json"), {**known, what: asdict(error)})
        return run


class Variants:
    """Networks of one part, each started when it is first needed. Shared by shallow copies of the part."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._runs: dict[str, Runs | None] = {}
        self._lock = threading.Lock()

    def get(self, network: Network) -> Runs | None:
        """The network, running; None leaves it to torch."""
        if network.name not in self._runs:
            with self._lock:
                if network.name not in self._runs:
                    self._runs[network.name] = self.engine.start(network)
        return self._runs[network.name]


def engine_folder() -> Path:
    """Where exported and compiled networks and measured choices are kept; it may be deleted at any time."""
    return cache_folder() / "engines"


def package_version(engine: str) -> str | None:
    """Of the package behind an engine; None when it is not installed."""
    try:
        return version(PACKAGES.get(engine, engine))
    except PackageNotFoundError:
        return None


def read_json(path: Path) -> dict[str, Any]:
    """What a file of the cache holds; nothing when it is missing or damaged."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
