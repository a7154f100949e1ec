"""PNG: what is written is what was given, and colours are not swapped."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from lipwright.core.errors import OutputError
from lipwright.core.png import png, write_png


def test_a_picture_survives_bit_for_bit_whatever_the_file_is_called(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (7, 5, 3), dtype=np.uint8)
    for name in ("a.png", "new/b.picture"):
        write_png(tmp_path / name, picture)
        read = cv2.cvtColor(cv2.imread(str(tmp_path / name)), cv2.COLOR_BGR2RGB)
        np.testing.assert_array_equal(read, picture)
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["a.png"]


def test_red_stays_red() -> None:
    red = np.zeros((2, 2, 3), np.uint8)
    red[..., 0] = 200
    decoded = cv2.imdecode(np.frombuffer(png(red), np.uint8), cv2.IMREAD_COLOR)
    assert decoded[0, 0].tolist() == [0, 0, 200]


def test_a_place_that_cannot_be_written_is_said_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OutputError, match="cannot write"):
        write_png(tmp_path / "file" / "a.png", np.zeros((2, 2, 3), np.uint8))
