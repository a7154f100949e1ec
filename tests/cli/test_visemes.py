"""`lipwright visemes` end to end: real speech in, plots and tables out."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from lipwright.cli.assets import ASSETS
from lipwright.cli.main import run
from lipwright.speech.channels import CHANNELS, SEALING

SPOKEN = ASSETS / "demo_speech.wav"
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def alignment(tmp_path: Path) -> Path:
    path = tmp_path / "phones.json"
    rows = [("g", 0.2, 0.3), ("uh", 0.3, 0.4), ("d", 0.4, 0.48), ("m", 1.0, 1.08), ("aa", 1.08, 1.3)]
    path.write_text(json.dumps([{"phone": p, "start": a, "end": b} for p, a, b in rows]), encoding="utf-8")
    return path


def test_tables_hold_the_curves(tmp_path: Path, alignment: Path, capsys: Capture) -> None:
    for name in ("v.csv", "v.json", "v.npz"):
        assert run(["visemes", str(SPOKEN), "--alignment", str(alignment), "-o", str(tmp_path / name)]) == 0
    shown = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert {"phones 5", "lips meet 1", f"phones from {alignment}"} <= set(shown)
    with np.load(tmp_path / "v.npz") as file:
        values, phones = file["visemes"], file["phones"].tolist()
        assert (file["fps"].tolist(), file["channels"].tolist()) == ([25, 1], list(CHANNELS))
    assert phones == ["g", "uh", "d", "m", "aa"]
    assert values[:, SEALING].max() == 1
    rows = list(csv.reader((tmp_path / "v.csv").read_text(encoding="utf-8").splitlines()))
    assert rows[0] == ["time_s", *CHANNELS]
    assert rows[1][0] == "0.020000"
    np.testing.assert_allclose(np.array(rows[1:], float)[:, 1:], values, atol=6e-5)
    data = json.loads((tmp_path / "v.json").read_text(encoding="utf-8"))
    assert (data["fps"], data["known"], data["phones"][3]) == ("25", True, {"phone": "m", "start": 1.0, "end": 1.08})
    np.testing.assert_allclose(data["frames"], values, atol=6e-5)


def test_plots_show_waveform_and_curves(tmp_path: Path, alignment: Path, capsys: Capture) -> None:
    given = ["visemes", str(SPOKEN), "--alignment", str(alignment)]
    assert run([*given, "-o", str(tmp_path / "v.png")]) == 0
    picture = cv2.imread(str(tmp_path / "v.png"))
    assert picture.shape[1] == 1600
    inked = (picture.min(axis=2) < 200).any(axis=0)
    assert inked[200:1500].mean() > 0.95, "the wave spans the row"
    red = (picture[..., 2] > 180) & (picture[..., 1] < 120) & (picture[..., 0] < 120)
    assert red.sum() > 200, "the closure of m is drawn"
    assert run([*given, "--window", "0.5-1.5", "-o", str(tmp_path / "v.svg")]) == 0
    assert "<svg" in (tmp_path / "v.svg").read_text(encoding="utf-8")
    assert "seconds 0.5 to 1.5" in capsys.readouterr().out


def test_json_summary_and_another_rate(tmp_path: Path, alignment: Path, capsys: Capture) -> None:
    out = tmp_path / "v.npz"
    given = ["visemes", str(SPOKEN), "--alignment", str(alignment), "--fps", "29.97", "--json", "-o", str(out)]
    assert run(given) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["frames"] == int(np.ceil(report["length_s"] * 30000 / 1001))
    assert report["phones_from"] == str(alignment)
    assert set(report["seconds"]) == {"reading and phones", "curves", "writing"}
    with np.load(out) as file:
        assert file["fps"].tolist() == [30000, 1001]


def test_sound_alone_is_enough(capsys: Capture) -> None:
    assert run(["visemes", str(SPOKEN), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["phones_from"] == "the recogniser"
    assert report["phones"] > 30
    assert report["lips_meet"] >= 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["absent.wav"], "absent.wav does not exist"),
        ([], "give one of SPEECH, --text and --text-file; none was given"),
        ([str(SPOKEN), "-o", "v.txt"], "name a file that ends in .png, .svg, .csv, .json, .npz"),
        ([str(SPOKEN), "--window", "1-2"], "--window is the stretch of a plot"),
        ([str(SPOKEN), "--window", "2-1", "-o", "v.png"], "ends before it starts"),
        ([str(SPOKEN), "--window", "90-99", "-o", "v.png", "--alignment", "ALIGNMENT"], "--window begins at 90 s"),
        ([str(SPOKEN), "--fps", "0"], "--fps '0' is not a frame rate"),
        ([str(SPOKEN), "--transcript", "a", "--alignment", "b"], "give one of them"),
        (["--text", "Hi", "--transcript", "a"], "spoken text is its own transcript"),
        ([str(SPOKEN), "--alignment", "absent.TextGrid"], "absent.TextGrid cannot be read"),
        ([str(SPOKEN), "--transcript", "GERMAN"], "name its language with --language"),
    ],
)
def test_bad_input_is_one_sentence(
    arguments: list[str], said: str, capsys: Capture, tmp_path: Path, alignment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "german.txt").write_text("Schöne Grüße aus Köln", encoding="utf-8")
    names = {"GERMAN": "german.txt", "ALIGNMENT": str(alignment)}
    assert run(["visemes", *(names.get(a, a) for a in arguments)]) == 2
    shown = capsys.readouterr().err
    assert said in shown
    assert shown.strip().splitlines()[-1].startswith("error: ")
    assert not list(tmp_path.glob("v.*"))
