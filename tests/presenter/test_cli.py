from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from lipwright.core.errors import ConfigError
from lipwright.face.ict import IctModel, find_ict
from lipwright.presenter.__main__ import main
from lipwright.presenter.make import Job
from lipwright.presenter.scene import load_phones, load_truth


@pytest.mark.parametrize("change", [{"size": 4000}, {"size": 513}, {"yaw_deg": 60.0}, {"pitch_deg": -1.0}, {"crf": 99}])
def test_values_out_of_range_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="--"):
        Job(text="hello", output=Path("x.mp4"), **change)  # type: ignore[arg-type]


def test_a_missing_model_is_one_sentence_and_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["--text", "hello", "-o", str(tmp_path / "x.mp4"), "--model", str(tmp_path / "none.npz")])
    assert code == 2
    assert capsys.readouterr().err.startswith("error: the ICT-FaceKit model is not at")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_text_file_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--text-file", str(tmp_path / "no.txt"), "-o", str(tmp_path / "x.mp4")]) == 2
    assert "cannot read" in capsys.readouterr().err


@pytest.mark.skipif(shutil.which("flite") is None, reason="flite is not installed")
def test_tracks_alone_are_written_and_repeat(ict: IctModel, tmp_path: Path) -> None:
    assert ict.neutral.any()
    arguments = [
        "--model",
        str(find_ict()),
        "--text",
        "Bob may pop by.",
        "--engine",
        "flite",
        "--voice",
        "kal",
    ]
    arguments += ["--tracks-only", "--yaw", "30", "--seed", "4"]
    for name in ("a", "b"):
        assert main([*arguments, "-o", str(tmp_path / f"{name}.mp4")]) == 0
    files = sorted(p.name for p in tmp_path.iterdir())
    assert files == ["a_phones.json", "a_truth.npz", "b_phones.json", "b_truth.npz"]
    a, b = (load_truth(tmp_path / f"{n}_truth.npz") for n in "ab")
    assert np.array_equal(a.landmarks_px, b.landmarks_px)
    assert np.degrees(np.abs(a.pose_rad[:, 1]).max()) == pytest.approx(30, abs=1e-3)
    assert [p.symbol for p in load_phones(tmp_path / "a_phones.json")].count("b") == 3
