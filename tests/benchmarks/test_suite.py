"""Results of benchmarks joined as ratios, compared and drawn."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest

from lipwright.cli.main import run

ROOT = Path(__file__).parents[2]


@pytest.fixture
def suite(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    script = runpy.run_path(str(ROOT / "benchmarks" / "suite.py"))
    calls: list[list[str]] = []

    def call(command: list[str], cpus: int | None = None) -> dict[str, Any]:
        calls.append([*command, f"cpus={cpus}"])
        if command[0] != "-m":
            columns = ["step", "least wall s", "least CPU s", "over its baseline"]
            return {"tables": [{"columns": columns, "rows": [["bare", 0.1, 0.05, 1.0], ["help", 0.4, 0.2, 4.0]]}]}
        if command[3] == "prepare":
            raise script["Failed"]("no presenter")
        speed = {"seconds": float(command[5])}["seconds"]
        measure = {"step": "speak", "cpu_ratio": 0.2, "cpu_ms": 10 + speed, "fps": 20.0 * (cpus or 1), "peak_mb": 1.0}
        return {"measures": [measure | {"step": "copy", "cpu_ratio": 1.0}, measure]}

    for function in (script["bench"], script["script"]):
        function.__globals__["call"] = call
    script["calls"] = calls
    return script


def rows_of(suite: dict[str, Any], *arguments: str) -> tuple[list[list[Any]], dict[str, float], list[str]]:
    given = suite["parser"]().parse_args(arguments)
    given.persona = given.persona or ["demo"]
    found: tuple[list[list[Any]], dict[str, float], list[str]] = suite["measured"](given)
    return found


def test_every_group_is_a_ratio_and_a_failure_a_note(suite: dict[str, Any]) -> None:
    rows, ratios, notes = rows_of(suite, "--groups", "prepare", "startup", "length", "speak", "--seconds", "8")
    assert notes == ["prepare: stopped, no presenter"]
    assert ratios["startup: help"] == 0.25, "four times its baseline's time is a quarter of its speed"
    assert ratios["length: 4 s of speech"] == 1
    assert ratios["length: 64 s of speech"] == pytest.approx(14 / 74)
    assert [name for name in ratios if name.startswith("speak")] == [
        f"speak: demo, {size}: {step}"
        for size in ("own size", "1280x720", "1920x1080", "3840x2160")
        for step in ("copy", "speak")
    ]
    assert len(rows) == 2 + 3 + 8
    assert next(row for row in rows if row[1] == "help")[3] == 200.0


def test_cores_are_compared_by_frames_a_second(suite: dict[str, Any]) -> None:
    suite["scaled"].__globals__["cores"] = lambda: 4
    _, ratios, _ = rows_of(suite, "--groups", "cores")
    assert ratios == {"cores: 1 cores": 1.0, "cores: 2 cores": 2.0, "cores: 4 cores": 4.0}
    assert [call[-1] for call in suite["calls"]] == ["cpus=1", "cpus=2", "cpus=4"]


def test_a_plot_of_all_ratios(suite: dict[str, Any], tmp_path: Path) -> None:
    suite["plot"]({"a: x": 1.0, "a: y": 0.25, "b: z": 8.0}, tmp_path / "p.png")
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")


def write(path: Path, **ratios: float) -> str:
    path.write_text(json.dumps({"data": {"ratios": ratios}}))
    return str(path)


def test_compare_fails_when_a_ratio_fell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = write(tmp_path / "old.json", sew=2.0, speak=0.5, gone=1.0)
    new = write(tmp_path / "new.json", sew=1.85, speak=0.4, more=1.0)
    assert run(["bench", "compare", old, new]) == 2
    shown = capsys.readouterr()
    assert "error: 1 of 2 ratios fell by more than 10 %: speak;" in shown.err
    assert "-20 %" in shown.out
    assert "only in " in shown.out
    assert run(["bench", "compare", old, new, "--share", "0.25"]) == 0
    assert run(["bench", "compare", new, old]) == 0, "faster is no fault"


def test_compare_reads_what_bench_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    measures = [{"step": "copy", "cpu_ratio": 1.0}, {"step": "speak", "cpu_ratio": 0.5}]
    file = tmp_path / "bench.json"
    file.write_text(json.dumps({"measures": measures}))
    assert run(["bench", "compare", str(file), write(tmp_path / "n.json", speak=0.3, copy=1.0)]) == 2
    assert run(["bench", "compare", str(file)]) == 2
    assert "needs two results" in capsys.readouterr().err
    assert run(["bench", "compare", str(file), write(tmp_path / "o.json", other=1.0)]) == 2
    assert "no step in common" in capsys.readouterr().err
    (tmp_path / "broken.json").write_text("[1]")
    assert run(["bench", "compare", str(file), str(tmp_path / "broken.json")]) == 2
    assert "is not a result of" in capsys.readouterr().err
