"""The same by the commands a user types, with their exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from lipwright.cli.main import run
from lipwright.media.audio import read_audio, write_wav
from lipwright.media.probe import probe

pytestmark = pytest.mark.slow
PROGRAM = [sys.executable, "-m", "lipwright.cli.main"]


def lipwright(*arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([*PROGRAM, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("commands")


@pytest.fixture(scope="module")
def made(place: Path, presenter: Path) -> Path:
    """A persona from four seconds of the presenter, by two commands."""
    shown = lipwright("prepare", presenter, "-o", place / "p.subject", "--trim", "6-10", "--json")
    assert json.loads(shown.stdout)["report"]["length_s"] == 4
    lipwright("train", place / "p.subject", "-o", place / "p.persona", "--steps", 3)
    assert sorted(p.name for p in place.iterdir()) == ["p.persona", "p.subject"]
    return place / "p.persona"


def test_speaking_a_file(made: Path, place: Path, presenter: Path) -> None:
    write_wav(place / "speech.wav", read_audio(presenter, 16_000)[16_000 * 20 : 16_000 * 21 + 100], 16_000)
    shown = lipwright("speak", made, place / "speech.wav", "-o", place / "out.mp4", "--json")
    assert json.loads(shown.stdout)["frames"] == 26
    info = probe(place / "out.mp4")
    assert info.video is not None
    assert info.audio is not None
    assert (info.video.width, info.video.fps) == (512, 25)


def test_bad_input_leaves_with_two_and_writes_nothing(
    made: Path, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_wav(place / "silent.wav", np.zeros(16_000, np.float32), 16_000)
    out = place / "never.mp4"
    for arguments in (
        ("speak", made, place / "silent.wav", "-o", out),
        ("train", place, "-o", place / "never.persona"),
    ):
        assert run([str(a) for a in arguments]) == 2  # here: starting a process takes longer than all this
        said = capsys.readouterr().err
        assert said.startswith("error: ")
        assert said.count("\n") == 1
    assert not [p for p in place.iterdir() if "never" in p.name]


def test_interrupted_training_goes_on(made: Path, place: Path) -> None:
    """Ctrl-C in the middle: 130, a checkpoint, and --resume ends what was begun."""
    out = place / "long.persona"
    command = [*PROGRAM, "train", str(place / "p.subject"), "-o", str(out), "--steps"]
    work = subprocess.Popen([*command, "100000"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert work.stderr is not None
    for _ in range(600):  # until training itself has begun: its folder is there
        if (place / ".long.persona.training").exists() or work.poll() is not None:
            break
        time.sleep(0.1)
    time.sleep(2)
    os.kill(work.pid, signal.SIGINT)
    try:
        said = work.communicate(timeout=60)[1]
    finally:
        work.kill()  # where Ctrl-C is ignored (a background job of a script) it would train for days
    assert work.returncode == 130, said
    assert "--resume" in said
    assert list((place / ".long.persona.training").rglob("*.checkpoint"))
    assert not out.exists()
    lipwright("train", place / "p.subject", "-o", out, "--steps", 1, "--resume")
    record = json.loads((out / "persona.json").read_text())["training"]["motion"]
    assert record["steps"] > 1, "the interrupted run's steps were kept"
    assert not (place / ".long.persona.training").exists()
