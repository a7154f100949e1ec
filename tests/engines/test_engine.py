"""Choosing, remembering, falling back."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from lipwright.core.contracts import F32
from lipwright.core.errors import ConfigError, DependencyError
from lipwright.engines import choose as choosing
from lipwright.engines import engine as starting
from lipwright.engines import onnx_file, running
from lipwright.engines.choose import choose
from lipwright.engines.engine import Engine, Variants
from lipwright.engines.network import Network, Port


class Double(nn.Module):
    def __init__(self, by: float = 2.0) -> None:
        super().__init__()
        self.by = nn.Parameter(torch.tensor(by))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.by


def network(by: float = 2.0) -> Network:
    module = Double(by)

    def plain(x: F32) -> tuple[F32, ...]:
        return (x * np.float32(by),)

    return Network("double", {"kind": "double"}, module, lambda: copy.deepcopy(module), plain,
                   (Port("x", (1, 4)),), ("y",))  # fmt: skip


class Fake:
    """An engine that multiplies as told, without any file being read."""

    engine, precision, threads = "openvino", "fp32", 1

    def __init__(self, factor: float) -> None:
        self.factor, self.calls = factor, 0

    def __call__(self, x: F32) -> tuple[F32, ...]:
        self.calls += 1
        return (x * np.float32(self.factor),)


@pytest.fixture
def starts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Any], list[Path]]]:
    """`starts(thing)`: openvino and onnxruntime start as it, or fail with it; returns what was exported."""
    written: list[Path] = []

    def write(of: Network, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(of.name)
        written.append(path)

    def use(thing: Any) -> list[Path]:
        def start(*args: Any, **options: Any) -> Any:
            if isinstance(thing, Exception):
                raise thing
            return thing

        monkeypatch.setattr(starting, "write_onnx", write)
        for name in ("openvino", "onnxruntime"):
            monkeypatch.setitem(running.START, name, start)
        monkeypatch.setattr(choosing, "package_version", lambda name: None if name == "tensorrt" else "1")
        return written

    return use


def test_a_started_network_is_exported_and_compared_once(starts: Any, cache: Path) -> None:
    fake = Fake(2.0)
    written = starts(fake)
    engine = Engine("openvino")
    run = engine.start(network())
    assert run is fake
    assert engine.notes == []
    assert fake.calls == 1, "compared with torch"
    again = Engine("openvino")
    assert again.start(network()) is fake
    assert (len(written), fake.calls) == (1, 1)
    assert again.start(network(3.0)) is None, "other weights are another file, and this engine is wrong about them"
    assert len(written) == 2
    assert "double runs in torch, not in openvino: its result is" in again.notes[0]


@pytest.mark.parametrize("reason", [RuntimeError("no\nsuch device"), DependencyError("openvino is not installed")])
def test_what_cannot_run_is_left_to_torch_with_one_line(starts: Any, reason: Exception) -> None:
    starts(reason)
    engine = Engine("openvino")
    assert engine.start(network()) is None
    (note,) = engine.notes
    assert note.startswith("double runs in torch, not in openvino: ")
    assert "\n" not in note
    assert str(reason).split()[-1] in note


def test_auto_takes_the_quickest_and_remembers_it(starts: Any, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    starts(Fake(2.0))
    measured: list[list[str]] = []

    def took(engine: float, plain: float) -> None:
        def least(way: Any, *rest: Any) -> float:
            measured.append([type(way).__name__])
            return engine if isinstance(way, Fake) else plain

        monkeypatch.setattr(choosing, "_least", least)

    took(0.010, 0.020)
    assert choose("auto", network()).name == "openvino"
    assert len(measured) == 3
    took(0.020, 0.001)
    assert choose("auto", network(5.0)).name == "openvino", "other weights, the same shape: remembered"
    assert len(measured) == 3
    other = replace(network(), shape={"kind": "double", "size": 2})
    assert choose("auto", other).name == "torch"
    took(0.0199, 0.020)
    nearly = replace(network(), shape={"kind": "double", "size": 3})
    assert choose("auto", nearly).name == "torch", "one in a hundred is not worth another runtime"
    kept = json.loads((cache / "choices.json").read_text())
    assert sorted(entry["engine"] for entry in kept.values()) == ["openvino", "torch", "torch"]
    (cache / "choices.json").write_text("{damaged")
    assert choose("auto", network()).name == "torch", "measured anew"


def test_auto_without_other_engines_is_torch_and_measures_nothing(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "package_version", lambda name: None)
    engine = choose("auto", network())
    assert (engine.name, engine.notes, engine.start(network())) == ("torch", [], None)
    assert not cache.exists()


def test_auto_goes_on_with_torch_where_the_others_fail(starts: Any, cache: Path) -> None:
    starts(RuntimeError("broken"))
    for _ in range(2):
        engine = choose("auto", network())
        assert engine.name == "torch"
        assert len(engine.notes) == 2
        assert all("broken" in note for note in engine.notes)


def test_the_environment_says_what_auto_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIPWRIGHT_ENGINE", "onnxruntime")
    assert choose("auto", network()).name == "onnxruntime"
    assert choose("torch", network()).name == "torch"
    with pytest.raises(ConfigError, match="unknown engine 'cuda'; available: auto, torch, openvino"):
        choose("cuda", network())
    with pytest.raises(ConfigError, match="unknown precision 'int8'"):
        choose("torch", network(), "int8")


def test_variants_start_once_whatever_thread_asks(starts: Any) -> None:
    fake = Fake(2.0)
    written = starts(fake)
    variants = copy.copy(Variants(Engine("openvino")))
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(variants.get(network()))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [fake] * 4
    assert len(written) == 1


def test_missing_packages_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_file.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DependencyError, match=r"onnx is not installed; pip install 'lipwright\[export\]'"):
        onnx_file.write_onnx(network(), tmp_path / "n.onnx")
    with pytest.raises(DependencyError, match="openvino is not installed"):
        running.OpenVino(tmp_path / "n.onnx")


def test_several_threads_at_once_get_their_own_results(tmp_path: Path) -> None:
    onnx, *_ = (pytest.importorskip(name, exc_type=ImportError) for name in ("onnx", "openvino", "onnxruntime"))
    x, y = (onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, 4]) for name in "xy")
    doubled = onnx.helper.make_node("Add", ["x", "x"], ["y"])
    graph = onnx.helper.make_graph([doubled], "double", [x], [y])
    opset = [onnx.helper.make_opsetid("", onnx_file.OPSET)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opset, ir_version=10), tmp_path / "n.onnx")
    for start in (running.OpenVino, running.OnnxRuntime):
        run = start(tmp_path / "n.onnx", "fp32", folder=tmp_path / "compiled")
        wrong: list[float] = []

        def work(value: float, run: Any = run, wrong: list[float] = wrong) -> None:
            for _ in range(50):
                (found,) = run(np.full((1, 4), value, np.float32))
                if not np.array_equal(found, np.full((1, 4), 2 * value, np.float32)):
                    wrong.append(value)

        threads = [threading.Thread(target=work, args=(float(k),)) for k in range(1, 5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong
    with pytest.raises(DependencyError, match="has no TensorRT"):
        running.TensorRt(tmp_path / "n.onnx")


_AT_ONCE = """
import sys, threading
from pathlib import Path
import numpy as np
from lipwright.engines.running import OpenVino
run = OpenVino(Path(sys.argv[1]), calls=4)
sys.setswitchinterval(1e-6)
gate = threading.Barrier(4)
def call():
    gate.wait()
    assert run(np.ones((1, 4), np.float32))[0].tolist() == [[2.0] * 4]
threads = [threading.Thread(target=call) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""


@pytest.mark.parametrize("again", range(3))
def test_first_calls_from_several_threads_do_not_wait_for_each_other(again: int, tmp_path: Path) -> None:
    """The bindings' own start in several threads at once hung one process in four."""
    pytest.importorskip("openvino")
    path = tmp_path / "double.onnx"
    onnx_file.write_onnx(network(), path)
    subprocess.run([sys.executable, "-c", _AT_ONCE, str(path)], check=True, timeout=120)
