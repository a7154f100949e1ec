"""What the installation has, and what users bring to it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from lipwright.cli import doctor, machine
from lipwright.cli.bench import BENCHES
from lipwright.cli.bench.measure import measure
from lipwright.cli.main import run
from lipwright.core import weights
from lipwright.core.errors import CheckpointError

Capture = pytest.CaptureFixture[str]


def test_doctor_says_what_to_do(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "NEEDED", ("torch", "numpy", "a_package_nobody_has"))
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setattr(doctor, "_import_error", lambda name: "gone" if name.startswith("a_") else None)
    assert run(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["cores"] >= 1
    assert found["libraries"]["numpy"] == np.__version__
    assert found["programs"] == {"espeak-ng": None, "flite": None}
    advice = "\n".join(found["advice"])
    assert "a_package_nobody_has cannot be loaded (gone): pip install" in advice
    assert "apt install espeak-ng" in advice


def test_a_missing_system_library_names_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "NEEDED", ("cv2",))
    message = "libGL.so.1: cannot open shared object file"
    monkeypatch.setattr(doctor, "_import_error", lambda name: message)
    assert any("apt install libgl1" in line for line in doctor.examine()[1])


def test_requirement_lines() -> None:
    assert machine._required("numpy<2,>=1.26") == "numpy"
    assert machine._required('jax ; python_version >= "3.9"') == "jax"
    assert machine._required('ray<3,>=2.50; extra == "cluster"') is None


def test_core_install_counts_each_package_once() -> None:
    size = machine.core_install()
    assert size is not None
    packages, bytes_on_disk = size
    assert packages > 10
    assert bytes_on_disk > 500e6  # torch alone is more


def test_measure_gives_the_median_of_the_runs() -> None:
    runs: list[int] = []
    result = measure("nothing", lambda: runs.append(1) or 100, repeats=3)
    assert len(runs) == 4  # one to warm up
    assert 0 < result.fps_low <= result.fps <= result.fps_high


def test_bench_media_writes_the_machine_beside_the_figures(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lipwright.cli.bench.media.SIZES", ((128, 96),))
    assert set(BENCHES) == {"media", "prepare", "sew", "speak", "render"}
    path = tmp_path / "m.json"
    assert run(["bench", "media", "--seconds", "1", "--repeats", "1", "--json", str(path)]) == 0
    result = json.loads(path.read_text(encoding="utf-8"))
    assert [m["step"] for m in result["measures"]][:2] == ["encode veryfast 128x96", "decode to RGB 128x96"]
    assert all(m["fps"] > 0 for m in result["measures"])
    assert result["machine"]["cores"] >= 1
    assert "store backward 128x96" in capsys.readouterr().out


@pytest.fixture
def models_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIPWRIGHT_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


def ict(path: Path, **changes: np.ndarray | None) -> Path:
    arrays = {"neutral": np.zeros((5, 3)), "identity_delta": np.zeros((2, 5, 3)), "uv": np.zeros((5, 2))}
    arrays |= {"expression_delta": np.zeros((2, 5, 3)), "expression_names": np.array(["a", "b"])}
    arrays |= {
        "polygons": np.zeros((1, 4)),
        "polygon_uvs": np.zeros((1, 4)),
        "landmark68_vertices": np.zeros(68),
    }
    np.savez(path, **{k: v for k, v in (arrays | changes).items() if v is not None})
    return path


def test_add_list_and_path(models_folder: Path, tmp_path: Path, capsys: Capture) -> None:
    assert run(["models", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["present"] is False
    source = ict(tmp_path / "mine.npz")
    assert run(["models", "add", "ict-facekit", str(source), "--json"]) == 0
    added = json.loads(capsys.readouterr().out)
    assert Path(added["path"]).read_bytes() == source.read_bytes()
    assert Path(added["path"] + ".sha256").read_text(encoding="utf-8").startswith(added["sha256"])
    assert run(["models", "list"]) == 0
    assert "ict-facekit yes" in " ".join(capsys.readouterr().out.split())
    assert weights.find("ict-facekit") == Path(added["path"])
    assert run(["models", "path"]) == 0
    assert capsys.readouterr().out.strip() == str(models_folder)


@pytest.mark.parametrize("kind", ["missing", "text", "truncated", "foreign", "shape", "pickle", "array"])
def test_wrong_files_are_refused_and_leave_nothing(models_folder: Path, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "mine.npz"
    if kind == "text":
        path.write_text("no archive", encoding="utf-8")
    elif kind == "truncated":
        path.write_bytes(ict(path).read_bytes()[:300])
    elif kind == "foreign":
        ict(path, expression_delta=None)
    elif kind == "shape":
        ict(path, neutral=np.zeros((5, 2)))
    elif kind == "pickle":
        ict(path, neutral=np.array([object()], dtype=object))
    elif kind == "array":
        with path.open("wb") as stream:
            np.save(stream, np.zeros(3))
    with pytest.raises(CheckpointError, match=r"mine\.npz.*"):
        weights.add("ict-facekit", path)
    assert not models_folder.exists()
