"""The renderer's part of `lipwright train`: settings, a start, a renderer trained elsewhere."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lipwright.cli.main import run
from lipwright.core.checkpoint import load_tensors
from lipwright.persona.bundle import read_info
from lipwright.recipes.pack import pack
from lipwright.render.translation.packed import load_packed
from lipwright.subject.store import Subject
from lipwright.train.__main__ import main
from lipwright.train.loop import Budget

TINY = {"size": "64", "ngf": "4", "n_downs": "2", "n_blocks": "1", "ndf": "4"}
SET = [part for name, value in TINY.items() for part in ("--set", f"{name}={value}")]
SHORT = ["--recipe", "pose-adaptive", "--steps", "2", "--mouths", "20", "--template-seconds", "2"]


@pytest.fixture(scope="module")
def elsewhere(subject: Subject, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Packed by the command, trained by the other machine's."""
    folder = tmp_path_factory.mktemp("elsewhere")
    packed = ["pack", str(subject.path), "-o", str(folder / "p.safetensors"), "--preset", "draft", "--megabytes", "1"]
    assert run([*packed, *SET]) == 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            sys, "argv", ["x", str(folder / "p.safetensors"), "-o", str(folder / "out"), "--budget", "2 steps"]
        )
        main()
    return folder


def test_a_packed_subject_fits_its_room(elsewhere: Path, subject: Subject) -> None:
    file = elsewhere / "p.safetensors"
    assert file.stat().st_size < 1.3e6
    data, config = load_packed(file)
    assert (config.size, config.ngf) == (64, 4)
    assert len(data.train) == len(subject.usable("train")), "it all fits at this size"
    assert data.numbers is not None
    small, _ = load_packed(pack(subject, elsewhere / "s.safetensors", settings=TINY, megabytes=0.1))
    assert 8 <= len(small.train) < len(data.train)
    assert len(small.validation) >= 8
    assert small.stretch(config, 0, 0)[-1].inputs.shape == (config.batch, 6, 64, 64)


def test_a_renderer_trained_elsewhere_is_taken_as_it_is(
    elsewhere: Path, subject: Subject, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made, out = str(elsewhere / "out" / "renderer.safetensors"), str(tmp_path / "p")
    assert run(["train", str(subject.path), "-o", out, *SHORT, "--renderer", made]) == 0
    info = read_info(tmp_path / "p")
    assert set(info["training"]) == {"motion"}
    theirs, ours = (load_tensors(p)[0] for p in (Path(made), tmp_path / "p" / "renderer.safetensors"))
    for key, value in theirs.items():
        assert (ours[key].float() == value.float()).all(), key
    assert run(["train", str(subject.path), "-o", out, *SHORT, "--renderer", made, "--mode", "full-face"]) == 2
    assert "was trained for mode sewn; use --mode sewn" in capsys.readouterr().err


def test_a_persona_starts_the_next_one_and_says_that_it_draws_softly(
    elsewhere: Path, subject: Subject, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = elsewhere / "out" / "renderer.safetensors"
    code = run(["train", str(subject.path), "-o", str(tmp_path / "p"), *SHORT, *SET, "--init", str(first)])
    assert code == 0
    info = read_info(tmp_path / "p")
    assert info["training"]["renderer"]["speed"]["loader_fps"] > 0
    sharp = info["training"]["renderer"]["validation"]["mouth_sharpness"]
    assert sharp < 0.5
    assert f"{sharp:.0%} of the finest detail of real mouths; --renderer memory keeps it" in capsys.readouterr().out
    _, config = load_tensors(tmp_path / "p" / "renderer.safetensors")
    assert (config["size"], config["ngf"]) == (64, 4)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--set", "ngf=4", "--recipe", "instant"], "recipe 'instant' trains no renderer of its own"),
        (["--set", "colour=red"], "has no setting 'colour'"),
        (["--set", "mode=full-face"], "use --mode full-face"),
        (["--set", "size"], "write NAME=VALUE"),
        (["--init", "none.pth"], "none.pth does not exist; start from a persona"),
        (["--renderer", "none.safetensors"], "--renderer none.safetensors is not a file"),
        (["--set", "batch=0"], "batch 0 is too small; use at least 1"),
        (["--set", "perceptual=vgg19"], "lipwright models add vgg19 FILE"),
    ],
)
def test_what_cannot_be_set_is_said_before_anything_is_read(
    arguments: list[str],
    says: str,
    subject: Subject,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LIPWRIGHT_MODELS", str(tmp_path / "models"))
    assert run(["train", str(subject.path), "-o", str(tmp_path / "p"), *SHORT, *arguments]) == 2
    assert says in capsys.readouterr().err
    assert not (tmp_path / "p").exists()


def test_a_packed_subject_is_no_renderer_and_has_one_mode(
    elsewhere: Path, subject: Subject, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    packed, out = str(elsewhere / "p.safetensors"), str(tmp_path / "p")
    assert run(["train", str(subject.path), "-o", out, *SHORT, "--renderer", packed]) == 2
    assert "is not a translation renderer" in capsys.readouterr().err
    assert run(["pack", str(subject.path), "-o", out, "--set", "mode=full-face"]) == 2
    assert "use --mode full-face" in capsys.readouterr().err


def test_an_interrupted_training_elsewhere_says_how_to_go_on(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from lipwright.train import __main__ as elsewhere_

    def stopped(*arguments: object) -> None:
        (tmp_path / "renderer.checkpoint").touch()
        raise KeyboardInterrupt

    monkeypatch.setattr(elsewhere_, "train_packed", stopped)
    monkeypatch.setattr(sys, "argv", ["x", str(elsewhere / "p.safetensors"), "-o", str(tmp_path)])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 130
    assert "--resume" in capsys.readouterr().err


def test_crops_fix_mode_and_size(elsewhere: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from lipwright.core.errors import ConfigError
    from lipwright.train.packed import train_packed

    with pytest.raises(ConfigError, match="packed for sewn at 64 px; pack the subject again"):
        train_packed(elsewhere / "p.safetensors", tmp_path, Budget(steps=1), "cpu", {"size": "96"})
