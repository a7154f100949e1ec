"""0 done, 2 bad input in one sentence, 130 interrupted with what was kept, 1 our own fault."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lipwright.cli.main import run
from lipwright.core.errors import ConfigError, FootageError, OutputError


def raising(error: BaseException) -> Callable[..., None]:
    def work(*args: Any, **options: Any) -> None:
        raise error

    return work


@pytest.mark.parametrize(
    "error",
    [FootageError("a.mp4 has no face; trim it"), ConfigError("x"), OutputError("disk is full; free some")],
)
def test_bad_input_is_one_sentence(stand_in: Callable, capsys: pytest.CaptureFixture[str], error: Exception) -> None:
    stand_in("lipwright.subject.prepare", prepare=raising(error))
    assert run(["prepare", "a.mp4"]) == 2
    shown = capsys.readouterr()
    assert shown.err == f"error: {error}\n"
    assert shown.out == ""


def test_a_message_of_several_lines_becomes_one(stand_in: Callable, capsys: pytest.CaptureFixture[str]) -> None:
    stand_in("lipwright.subject.prepare", prepare=raising(FootageError("one\n  two")))
    assert run(["prepare", "a.mp4"]) == 2
    assert capsys.readouterr().err == "error: one two\n"


@pytest.mark.parametrize(("number", "code"), [(28, 2), (13, 2), (30, 2), (5, 1)])
def test_a_place_that_cannot_be_written_is_no_fault_of_ours(
    stand_in: Callable, capsys: pytest.CaptureFixture[str], number: int, code: int
) -> None:
    error = OSError(number, os.strerror(number), "/data/a.subject")
    stand_in("lipwright.subject.prepare", prepare=raising(error))
    assert run(["prepare", "a.mp4"]) == code
    shown = capsys.readouterr().err
    assert ("Traceback" in shown) is (code == 1)
    assert f"/data/a.subject: {os.strerror(number)}; free some space" in shown or code == 1


def test_a_fault_of_ours_shows_where_and_whom_to_tell(stand_in: Callable, capsys: pytest.CaptureFixture[str]) -> None:
    stand_in("lipwright.subject.prepare", prepare=raising(ZeroDivisionError("oops")))
    assert run(["prepare", "a.mp4"]) == 1
    shown = capsys.readouterr().err
    assert "Traceback" in shown
    assert "ZeroDivisionError: oops" in shown
    assert shown.splitlines()[-1].endswith("/issues")


@pytest.mark.parametrize(
    ("arguments", "module", "name", "words"),
    [
        (
            ["prepare", "a.mp4", "-o", "s"],
            "lipwright.subject.prepare",
            "prepare",
            "is kept in s; run the same",
        ),
        (
            ["train", "s", "-o", "p"],
            "lipwright.recipes.train",
            "train",
            "no checkpoint had been written yet; run the same",
        ),
        (["evaluate", "v.mp4"], "lipwright.evaluate.video", "evaluate", "nothing was written"),
    ],
)
def test_interruption_says_what_is_kept(
    stand_in: Callable,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    module: str,
    name: str,
    words: str,
) -> None:
    stand_in(module, **{name: raising(KeyboardInterrupt())})
    assert run(arguments) == 130
    shown = capsys.readouterr().err
    assert shown.startswith("interrupted: ")
    assert words in shown
    assert shown.count("\n") == 1


def test_interrupted_training_names_its_checkpoint(
    stand_in: Callable, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def train(*args: Any, **options: Any) -> None:
        (tmp_path / ".p.training" / "run").mkdir(parents=True)
        (tmp_path / ".p.training" / "run" / "motion.pt").touch()
        raise KeyboardInterrupt

    stand_in("lipwright.recipes.train", train=train)
    assert run(["train", "s", "-o", str(tmp_path / "p")]) == 130
    assert "p; run the same command with --resume to continue" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["nothing"],
        ["prepare"],
        ["prepare", "a.mp4", "--face", "-1"],
        ["train", "s", "--steps", "0"],
        ["speak", "demo", "a.wav", "--nope"],
        ["models", "remove", "x"],
    ],
)
def test_wrong_usage(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert run(arguments) == 2
    shown = capsys.readouterr().err
    assert "Error: " in shown
    assert "Traceback" not in shown


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["speak", "p"], "give one of SPEECH, --text and --text-file; none was given"),
        (["speak", "p", "a.wav", "--text", "hi"], "2 were given"),
        (["speak", "p", "--text", "  "], "holds no words"),
        (["speak", "p", "--text-file", "missing.txt"], "missing.txt cannot be read as UTF-8 text"),
        (["speak", "p", "a.wav", "--crf", "99"], "crf 99 is outside 0 to 51"),
        (["speak", "p", "a.wav", "--encoder-preset", "warp"], "choose from ultrafast"),
        (["speak", "p", "a.wav", "--codec", "mpeg2"], "encoder codec 'mpeg2' is unknown; choose from h264, hevc, vp9"),
        (["speak", "p", "a.wav", "-o", "o.webm", "--codec", "h264"], "cannot write h264 to o.webm: name the file .mp4"),
        (["speak", "p", "a.wav", "-o", "o.avi"], "cannot write o.avi: name it .mp4"),
        (["speak", "p", "a.wav", "--alpha"], "cannot write transparency to out.mp4: use vp9 in .webm"),
        (["speak", "p", "a.wav", "--size", "big"], "--size 'big' is not a picture size; write widthxheight (1280x720)"),
        (["speak", "p", "a.wav", "--size", "0x5"], "encoder size 0 is outside 16 to 16384"),
        (["speak", "p", "a.wav", "--pix-fmt", "rgb24"], "encoder pix_fmt 'rgb24' is unknown; choose from yuv420p"),
        (["speak", "p", "a.wav", "-o", "o.webm", "--pix-fmt", "yuv420p10le"], "vp9 has no yuv420p10le"),
        (["speak", "p", "a.wav", "--bitrate", "5"], "encoder bitrate 5 is outside 10000"),
        (["prepare", "a.mp4", "--trim", "5"], "is not a stretch"),
        (["prepare", "a.mp4", "--trim", "5-2"], "ends before it starts"),
        (["prepare", "a.mp4", "--trim", "x-2"], "is not a time"),
        (["prepare", "a.mp4", "--fps", "fast"], "is not a frame rate"),
        (["prepare", "a.mp4", "--fps", "0"], "is not a frame rate"),
        (["prepare", "a.mp4", "--box", "1,2,3"], "is not a box"),
        (["prepare", "a.mp4", "--box", "1,2,0,4"], "is not a box"),
        (["prepare", "a.mp4", "--box", "1,2,nan,4"], "is not a box"),
        (["prepare", "a.mp4", "--box", "1,2,3,4", "--face", "1"], "give one of them"),
        (["prepare", "a.mp4", "--faces", "who.gif"], "is not a .png file"),
        (["bench", "sleep"], "choose from media, prepare, sew, speak, render"),
        (["bench", "sew", "--ablations"], "use bench render"),
        (["bench", "render", "a.subject"], "leave them out"),
        (["bench", "render", "a.subject", "--ablations"], "needs subjects and --json FILE"),
        (["bench", "render", "a.subject", "--ablations", "--row", "best", "--json", "t.json"], "unknown row 'best'"),
        (["bench", "render", "a.subject", "--ablations", "--set", "hue=1", "--json", "t.json"], "no setting 'hue'"),
        (
            ["models", "add", "stylegan", "x.npz"],
            "unknown model 'stylegan'; lipwright can use alexnet, fid-inception, ict-facekit",
        ),
    ],
)
def test_bad_values_name_the_option_and_the_way_out(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == 2
    shown = capsys.readouterr().err
    assert words in shown
    assert shown.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    shown = capsys.readouterr().out
    verbs = ("prepare", "train", "speak", "evaluate", "demo", "recipes", "doctor", "models", "bench", "report")
    assert all(verb in shown for verb in verbs)
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("lipwright 0.")
