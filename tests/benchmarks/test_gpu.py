"""The script for GPUs runs where there is little beside torch, and its figures are of the networks it names."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
ABSENT = (
    *("av", "mediapipe", "typer", "rich", "scipy", "matplotlib", "numba", "psutil", "pocketsphinx", "openvino"),
    *("onnx", "onnxruntime", "onnxscript", "pydantic", "yaml", "tensorboard"),
)


def test_it_runs_on_a_bare_machine(tmp_path: Path) -> None:
    out = tmp_path / "gpu.json"
    arguments = ["--device", "cpu", "--tiny", "--seconds", "0.01", "--batches", "2", "--no-compile", "--json", str(out)]
    code = f"""
import runpy, sys
sys.modules.update(dict.fromkeys({ABSENT!r}))
sys.argv = ["benchmarks/gpu.py", *{arguments!r}]
runpy.run_path("benchmarks/gpu.py", run_name="__main__")
"""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    environment.pop("PYTHONPATH", None)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(out.read_text())
    (shown,) = found["tables"]
    rows = [dict(zip(shown["columns"], row, strict=True)) for row in shown["rows"]]
    assert len(rows) == 15  # three networks, five ways without graph and compiler
    assert len(found["notes"]) == 9
    assert all("graphs need CUDA" in note for note in found["notes"])
    for row in rows:
        assert row["fps"] > 0
        assert row["ms at 1"] > 0
        if row["way"] == "eager fp32":
            assert row["to eager"] == 1
            assert row["max levels"] == 0
        else:
            assert 0 <= row["rms levels"] < 8
    assert any(row["max levels"] > 0 for row in rows), "another precision gives other numbers"
    assert next(row for row in rows if row["network"].startswith("pix2pixHD"))["to stock"] == 1


def test_the_networks_are_those_of_the_presets() -> None:
    script: dict[str, Any] = runpy.run_path(str(ROOT / "benchmarks" / "gpu.py"))
    stock, *rest = script["cases"](False)
    assert stock.name == script["STOCK"]
    assert [case.name for case in rest] == [
        *("crossmodal 256", "crossmodal 512", "crossmodal 768"),
        *("translation draft sewn, 256", "translation draft full-face, 256", "translation standard sewn, 512"),
        *("translation standard full-face, 512", "translation broadcast sewn, 720"),
        "translation broadcast full-face, 720",
    ]
    assert rest[1].region == (112, 208, 400, 496)  # the mouth square of 192 px grown by a quarter to each side
    rows = [["a", "eager fp32", 0, 0, 10.0, 1, None, None], ["a", "bf16", 0, 0, 25.0, 1, None, None]]
    rows.append([script["STOCK"], "eager fp32", 0, 0, 5.0, 1, None, None])
    script["compare"](rows)
    assert [row[6:] for row in rows] == [[1.0, 2.0], [2.5, 5.0], [1.0, 1.0]]
