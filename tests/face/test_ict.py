from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lipwright.core.errors import ConfigError
from lipwright.face import ict

V = 26719


def small_model(**changes: np.ndarray | None) -> dict[str, np.ndarray]:
    """A file of the right layout with two identities, two expressions and two faces."""
    arrays: dict[str, np.ndarray | None] = {
        "neutral": np.zeros((V, 3), np.float32),
        "identity_delta": np.ones((2, V, 3), np.float16),
        "expression_delta": np.ones((2, V, 3), np.float16),
        "expression_names": np.array(["jawOpen", "mouthClose"]),
        "polygons": np.array([[0, 1, 2, 3], [10000, 10001, 10002, -1]], np.int32),
        "polygon_uvs": np.array([[0, 1, 2, 3], [0, 1, 2, -1]], np.int32),
        "uv": np.zeros((4, 2), np.float32),
        "landmark68_vertices": np.arange(68, dtype=np.int32),
        **changes,
    }
    return {k: v for k, v in arrays.items() if v is not None}


def test_a_good_file_loads_and_evaluates(tmp_path: Path) -> None:
    np.savez(tmp_path / "m.npz", **small_model())
    model = ict.load_ict(tmp_path / "m.npz")
    assert model.expression_names == ("jawOpen", "mouthClose")
    np.testing.assert_allclose(model.identity(np.array([1.5, -0.5], np.float32)), 1.0)
    assert model.expressions(np.array([3, 5])).shape == (2, 2, 3)


def test_quads_become_two_triangles_and_parts_are_kept_apart(tmp_path: Path) -> None:
    np.savez(tmp_path / "m.npz", **small_model())
    model = ict.load_ict(tmp_path / "m.npz")
    faces, uvs = model.triangles(0, 9409)
    np.testing.assert_array_equal(faces, [[0, 1, 2], [0, 2, 3]])
    np.testing.assert_array_equal(uvs, faces)
    np.testing.assert_array_equal(model.triangles(9409)[0], [[10000, 10001, 10002]])


def test_a_missing_file_says_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.npz.*--model"):
        ict.load_ict(tmp_path / "gone.npz")


def test_the_environment_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez(tmp_path / "m.npz", **small_model())
    monkeypatch.setenv(ict.ENVIRONMENT, str(tmp_path / "m.npz"))
    assert ict.find_ict() == tmp_path / "m.npz"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"uv": None}, "lacks uv"),
        ({"neutral": np.zeros((5, 3), np.float32)}, r"neutral has shape \(5, 3\)"),
        ({"expression_names": np.array(["one"])}, "differ in length"),
    ],
)
def test_a_foreign_file_is_refused(tmp_path: Path, changes: dict[str, np.ndarray | None], message: str) -> None:
    np.savez(tmp_path / "m.npz", **small_model(**changes))
    with pytest.raises(ConfigError, match=message):
        ict.load_ict(tmp_path / "m.npz")


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.npz").write_bytes(b"PK\x03\x04 not an archive")
    with pytest.raises(ConfigError, match="not a readable npz"):
        ict.load_ict(tmp_path / "m.npz")


def test_a_model_that_was_added_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where `lipwright models add ict-facekit FILE` puts it is where presenters look."""
    from lipwright.core import weights

    for name in (ict.ENVIRONMENT, "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LIPWRIGHT_MODELS", str(tmp_path / "models"))
    np.savez(tmp_path / "brought.npz", **small_model())
    added, _ = weights.add("ict-facekit", tmp_path / "brought.npz")
    assert ict.find_ict() == added
    assert ict.load_ict().expression_names == ("jawOpen", "mouthClose")
