"""`lipwright train-teacher`: bad input, and one step of both networks on prepared footage."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lipwright.cli.main import run
from lipwright.render.teacher.networks import load_teacher
from lipwright.subject.store import Subject


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a.subject"], "one subject leaves nobody to score by"),
        (["--divide", "3"], "--divide 3 is none of 1, 2, 4, 8"),
        (["--budget", "soon"], "is not a length of time or steps"),
        (["a.subject", "b.subject"], "a.subject is not a prepared subject"),
    ],
)
def test_bad_input_is_one_sentence(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["train-teacher", "-o", str(tmp_path / "t.safetensors"), *arguments]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "t.safetensors").exists()


@pytest.mark.slow
def test_subjects_become_a_teacher(subject: Subject, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, folder = tmp_path / "t.safetensors", str(subject.path)
    told = run(["train-teacher", folder, folder, "-o", str(out), "--divide", "8", "--budget", "1 steps", "--json"])
    assert told == 0
    found = json.loads(capsys.readouterr().out)
    assert found["trained_on"] == "0 rendered identities, 1 subjects; held out: one subject"
    assert 0 <= found["held_out"]["expert"]["right"] <= 1
    assert found["held_out"]["generator"]["l1_copied"] > 0
    assert load_teacher(out)[1] == "aligned"
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == [], "the work folder is gone"
