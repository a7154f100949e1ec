"""`lipwright fit`: from a subject to a file, a picture and figures."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.face.morphable import drawn

from lipwright.cli.main import run
from lipwright.core.contracts import U8
from lipwright.face.morphable import store
from lipwright.face.morphable.fit import FitConfig
from lipwright.subject import face as module
from lipwright.subject.face import fit_subject


class DrawnSubject:
    """Frames and track of a drawn person, where a folder would be."""

    def __init__(self) -> None:
        model, truth = drawn.face(0), drawn.truth(24)
        self.track, self.size, self.fps = drawn.tracked(model, truth, 0.2), drawn.SIZE, Fraction(25)
        self._pictures, self.frames = drawn.pictures(model, truth), self

    def __len__(self) -> int:
        return len(self._pictures)

    def frame(self, index: int) -> U8:
        return self._pictures[index]

    def read(self, first: int, count: int) -> Iterator[U8]:
        return iter(self._pictures[first : first + count])

    @classmethod
    def open(cls, folder: Path) -> DrawnSubject:
        return cls()


def test_a_fit_is_written_shown_and_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "Subject", DrawnSubject)
    config = FitConfig(identity_frames=9, identity_rounds=2)
    report = fit_subject("x", tmp_path / "f.npz", overlay=tmp_path / "o.png", frames=10, config=config)
    fit = store.load(tmp_path / "f.npz")
    assert len(fit.coefficients) == report["frames"] == 10
    assert fit.model.name == report["model"] == "person"
    assert 0 < report["reprojection_px"] < 1
    assert report["reprojection_px_at_512"] == pytest.approx(report["reprojection_px"] * 512 / 192)
    assert 0 < report["photometric_grey_levels"] < 20
    picture = cv2.imread(str(tmp_path / "o.png"))
    assert picture.shape == (3 * 192, 4 * 192, 3)
    assert picture.std() > 10
    assert np.isfinite(fit.coefficients.light).all()


def test_mistakes_on_the_command_line_are_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["fit", str(tmp_path / "none.subject")]) == 2
    assert "is not a prepared subject" in capsys.readouterr().err
    monkeypatch.setattr(module, "Subject", DrawnSubject)
    assert run(["fit", str(tmp_path), "--model", "guess", "-o", str(tmp_path / "f.npz")]) == 2
    assert "unknown face model 'guess'; available: person, ict-facekit" in capsys.readouterr().err
    assert not (tmp_path / "f.npz").exists()
