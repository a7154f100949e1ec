"""ICT-FaceKit, BFM-2009 and FLAME behind the same interface, on synthetic files of their layouts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from lipwright.core.errors import CheckpointError
from lipwright.face import ict
from lipwright.face.morphable.facekit import facekit
from lipwright.face.morphable.licensed import bfm2009, flame
from lipwright.face.morphable.model import FaceModel, landmarks_px, neutral
from lipwright.face.morphable.targets import targets

V = 90


def sheet() -> np.ndarray:
    """(90, 3): a bulging sheet of 10 x 9 points."""
    y, x = np.meshgrid(np.linspace(1, -1, 9), np.linspace(-1, 1, 10), indexing="ij")
    return np.stack([x, y, 1 - 0.3 * (x**2 + y**2)], -1).reshape(-1, 3)


def faces() -> np.ndarray:
    rows = []
    for i in range(8):
        for j in range(9):
            a = 10 * i + j
            rows += [[a, a + 10, a + 1], [a + 1, a + 10, a + 11]]
    return np.array(rows)


def bfm_file(path: Path, **changes: np.ndarray | None) -> Path:
    rng = np.random.default_rng(0)
    arrays: dict[str, np.ndarray | None] = {
        "meanshape": sheet().reshape(1, -1),
        "idBase": rng.normal(size=(3 * V, 4)),
        "exBase": rng.normal(size=(3 * V, 3)),
        "meantex": np.full((1, 3 * V), 127.5),
        "texBase": 255 * rng.normal(size=(3 * V, 2)),
        "tri": faces()[:, ::-1] + 1,
        "keypoints": np.arange(1, 69)[None],
        **changes,
    }
    savemat(path, {k: v for k, v in arrays.items() if v is not None})
    return path


def flame_file(path: Path, **changes: np.ndarray | None) -> Path:
    rng = np.random.default_rng(0)
    jaw = np.zeros((5, V))
    jaw[:, 0] = 1
    weights = np.zeros((V, 5))
    weights[:, 2] = 1
    arrays: dict[str, np.ndarray | None] = {
        "v_template": sheet() / 10,
        "shapedirs": rng.normal(size=(V, 3, 310)) / 100,
        "f": faces(),
        "J_regressor": jaw,
        "weights": weights,
        "lmk_faces_idx": np.arange(68),
        "lmk_b_coords": np.tile([0.5, 0.25, 0.25], (68, 1)),
        **changes,
    }
    np.savez(path, **{k: v for k, v in arrays.items() if v is not None})
    return path


def check(model: FaceModel) -> None:
    """It can be posed and seen, and its parts fit."""
    c = neutral(model, 2, 100.0)
    assert landmarks_px(model, c, (64, 64)).shape == (2, 68, 2)
    assert np.isfinite(landmarks_px(model, c, (64, 64))).all()
    assert model.inside.any()
    assert targets(model).weights.shape == (68,)
    assert model.triangles.max() < len(model.mean)
    moved = model.shape(c.geometry, np.eye(len(model.expression), dtype=np.float32)[:1])[0] - model.mean
    np.testing.assert_allclose(moved, model.expression[0], atol=1e-4)


def test_bfm_is_in_centimetres_and_faces_the_viewer(tmp_path: Path) -> None:
    model = bfm2009(bfm_file(tmp_path / "BFM_model_front.mat"))
    check(model)
    assert model.name == "bfm-2009"
    np.testing.assert_allclose(np.ptp(model.mean[:V], axis=0)[:2], [20, 20], atol=1e-4)
    np.testing.assert_allclose(model.mean_texture[:V], 0.5)
    assert (len(model.geometry), len(model.expression), len(model.texture)) == (4, 3, 2)
    a, b, c = (model.mean[model.triangles[:144, k]] for k in range(3))
    assert (np.cross(b - a, c - a)[:, 2] > 0).all()  # the file's ran the other way
    assert model.inside.sum() == 4 * 8
    np.testing.assert_array_equal(model.landmark68.vertices[:, 0], np.arange(68))


def test_the_interior_moves_with_the_lips(tmp_path: Path) -> None:
    model = bfm2009(bfm_file(tmp_path / "BFM_model_front.mat"))
    lips = model.landmark68.vertices[60:, 0]
    shift = np.zeros_like(model.expression[:1])
    shift[:, lips] = 1
    for name in ("geometry", "expression"):
        bag = getattr(model, name)[:, V : V + 8]
        ring = getattr(model, name)[:, lips]
        np.testing.assert_allclose(bag, 0.88 * ring + 0.12 * ring.mean(1, keepdims=True), atol=1e-5)
    assert (model.mean[V + 8 : V + 16, 2] < model.mean[lips, 2].max() - 1).all()


def test_flame_is_in_centimetres_and_its_jaw_is_an_expression(tmp_path: Path) -> None:
    """The jaw's joint is vertex 0 (0.1 m left, 0.1 m up): 0.1 rad about x moves a point by 0.1 · (0, -z, y) from it."""
    model = flame(flame_file(tmp_path / "flame.npz"))
    check(model)
    assert (len(model.geometry), len(model.expression)) == (300, 10 + 3)
    np.testing.assert_allclose(np.ptp(model.mean[:V], axis=0)[:2], [20, 20], atol=1e-4)
    away = model.mean[:V] - model.mean[0]
    np.testing.assert_allclose(
        model.expression[10, :V], 0.1 * np.stack([0 * away[:, 0], -away[:, 2], away[:, 1]], 1), atol=1e-4
    )
    corners = faces()[0]
    np.testing.assert_allclose(model.landmark68(model.mean)[0], model.mean[corners].T @ [0.5, 0.25, 0.25], atol=1e-4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"exBase": None}, "has no exBase; give BFM_model_front.mat"),
        ({"texBase": np.zeros((5, 2))}, r"texBase has shape \(5, 2\), expected \(270, any\)"),
        ({"tri": np.array([[1, 2, 999]])}, "its triangles do not fit its 90 vertices"),
        ({"keypoints": np.arange(1, 60)}, "keypoints must be 68 of its 90 vertices"),
    ],
)
def test_wrong_bfm_files_are_refused(tmp_path: Path, changes: dict[str, np.ndarray | None], message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        bfm2009(bfm_file(tmp_path / "m.mat", **changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"f": None, "weights": None}, "has no f, weights; convert FLAME"),
        ({"shapedirs": np.zeros((V, 3, 100))}, "shapedirs has shape"),
        ({"lmk_faces_idx": np.arange(51)}, "must hold 68 points"),
    ],
)
def test_wrong_flame_files_are_refused(tmp_path: Path, changes: dict[str, np.ndarray | None], message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        flame(flame_file(tmp_path / "m.npz", **changes))


def test_pickles_and_broken_files_are_never_opened(tmp_path: Path) -> None:
    (tmp_path / "generic_model.pkl").write_bytes(b"\x80\x04N.")
    with pytest.raises(CheckpointError, match=r"convert FLAME's pickle as docs/morphable\.md says"):
        flame(tmp_path / "generic_model.pkl")
    (tmp_path / "broken.mat").write_bytes(b"not a mat file" * 20)
    with pytest.raises(CheckpointError, match="is not a readable mat file"):
        bfm2009(tmp_path / "broken.mat")


def test_facekit_has_teeth_and_a_colour_for_each_part() -> None:
    """A stand-in of the light model's layout; the model itself is not part of this package."""
    n, rng = 26719, np.random.default_rng(0)
    stand_in = ict.IctModel(
        neutral=rng.normal(size=(n, 3)).astype(np.float32),
        identity_delta=rng.normal(size=(3, n, 3)).astype(np.float16),
        expression_delta=rng.normal(size=(2, n, 3)).astype(np.float16),
        expression_names=("jawOpen", "mouthClose"),
        polygons=np.array([[0, 1, 2, 3], [17100, 17101, 17102, -1]], np.int32),
        polygon_uvs=np.zeros((2, 4), np.int32),
        uv=np.zeros((1, 2), np.float32),
        landmark68=np.arange(68, dtype=np.int32),
    )
    model = facekit(identities=2, model=stand_in)
    check(replace(model))
    assert len(model.geometry) == 2
    teeth = slice(*ict.VERTEX_RANGES["teeth"])
    assert model.inside[teeth].all()
    assert not model.inside[: ict.VERTEX_RANGES["face"][1]].any()
    changed = model.albedo(np.eye(len(model.texture), dtype=np.float32)[15]) - model.mean_texture
    np.testing.assert_allclose(changed[teeth], np.tile([0.15, 0, 0], (4412, 1)), atol=1e-6)
    assert not changed[: teeth.start].any()
