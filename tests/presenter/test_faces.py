"""Rendered talking faces: cut as the network sees them, kept, and different people."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from lipwright.core.errors import ConfigError
from lipwright.core.progress import Silent
from lipwright.face.ict import IctModel
from lipwright.presenter.faces import RenderedFaces, rendered_faces


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("flite") is None or shutil.which("espeak-ng") is None, reason="speech engines missing")
def test_faces_are_rendered_once(ict: IctModel, tmp_path: Path) -> None:
    wanted = RenderedFaces(1, 1, 1.0)
    (one,), (other,) = rendered_faces(ict, wanted, tmp_path, Silent())
    assert one.faces.shape == (25, 96, 96, 3)
    assert len(one.samples) == 16_000
    assert np.abs(one.faces[0].astype(float) - other.faces[0]).mean() > 3
    moved = np.abs(np.diff(one.faces.astype(float), axis=0))
    assert moved[:, 48:].mean() > 0
    files = {p.name: p.stat().st_mtime_ns for p in tmp_path.iterdir()}
    again, _ = rendered_faces(ict, wanted, tmp_path, Silent())
    np.testing.assert_array_equal(again[0].faces, one.faces)
    assert {p.name: p.stat().st_mtime_ns for p in tmp_path.iterdir()} == files


def test_nonsense_is_refused() -> None:
    with pytest.raises(ConfigError, match="0 identities is outside"):
        RenderedFaces(identities=0)
