"""A machine that only trains: torch, NumPy, OpenCV and safetensors, and no other package of ours or anybody's."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from pathlib import Path

import cv2
import pytest
from tests.render.neural_face.conftest import SMALL, data_of, film

from lipwright.core.checkpoint import load_tensors
from lipwright.render.neural_face.packed import save_packed
from lipwright.render.neural_face.renderer import NeuralFaceRenderer
from lipwright.render.translation.renderer import TranslationRenderer

HERE = Path(__file__).parent

# Whatever torch itself needs may load; every other installed package looks as if it were not there.
BARE = """
import sys
from importlib.metadata import packages_distributions, requires
from importlib.abc import MetaPathFinder
import re

def needed(names, seen):
    for name in names:
        key = re.split(r"[^A-Za-z0-9._-]", name)[0].lower().replace("_", "-")
        if key in seen:
            continue
        seen.add(key)
        try:
            needed([r for r in requires(key) or [] if "extra ==" not in r], seen)
        except Exception:
            pass
    return seen

allowed = needed(["torch", "numpy", "safetensors"], {"opencv-contrib-python", "opencv-python", "lipwright"})
absent = {
    module for module, owners in packages_distributions().items()
    if not any(owner.lower().replace("_", "-") in allowed for owner in owners)
}
assert {"av", "mediapipe", "typer", "rich", "scipy", "numba"} <= absent

class Absent(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in absent:
            raise ModuleNotFoundError(f"No module named {name!r} on a bare machine", name=name)

sys.meta_path.insert(0, Absent())

import importlib.util

found = importlib.util.find_spec  # who only asks is told that there is none
importlib.util.find_spec = lambda name, package=None: None if name.split(".")[0] in absent else found(name, package)
"""

TRAIN = """
import runpy
sys.argv = ["lipwright.train", *ARGUMENTS]
runpy.run_module("lipwright.train", run_name="__main__", alter_sys=True)
"""

SPEAK = """
sys.path.insert(0, ARGUMENTS[0])
from drawn import drawn
import numpy as np
from lipwright.core.contracts import FaceTrack, RenderWindow
from lipwright.core.ibug import MOUTH_JAW
from lipwright.render.translation.renderer import TranslationRenderer
frames, landmarks, pose = drawn(4)
track = FaceTrack(landmarks, np.zeros((4, 478, 3), np.float32), np.ones(4, np.float32), pose, (128, 128))
window = RenderWindow(frames, track, landmarks[:, MOUTH_JAW], track)
patches = list(TranslationRenderer.load(ARGUMENTS[1]).render(window))
assert len(patches) == 4
assert all(p.mask.shape == p.rgb8.shape[:2] and p.mask.max() > 0.5 for p in patches)
"""


def bare(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = f"{BARE}\nARGUMENTS = {list(arguments)!r}\n{code}"
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.slow
def test_a_packed_subject_is_trained_and_drawn(tmp_path: Path) -> None:
    runpy.run_path(str(HERE / "drawn.py"))["write"](tmp_path / "p.safetensors")
    out = tmp_path / "out"
    done = bare(TRAIN, str(tmp_path / "p.safetensors"), "-o", str(out), "--budget", "12 steps", "--device", "cpu",
                "--set", "batch=2")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "loader_fps" in done.stderr
    record = json.loads((out / "training.json").read_text(encoding="utf-8"))
    assert record["steps"] == 12
    assert record["config"]["batch"] == 2
    assert record["speed"]["loader_fps"] > 0
    weights, _ = load_tensors(out / "renderer.safetensors")
    assert {str(v.dtype) for k, v in weights.items() if k.startswith("generator.")} == {"torch.float16"}
    for name in ("preview", "mouths"):
        assert cv2.imread(str(out / f"{name}.png")).std() > 1
    assert not list(out.glob("*.checkpoint"))
    TranslationRenderer.load(out / "renderer.safetensors")
    drawn = bare(SPEAK, str(HERE), str(out / "renderer.safetensors"))
    assert drawn.returncode == 0, drawn.stderr


SPEAK_HEARING = """
sys.path.insert(0, ARGUMENTS[0])
from drawn import drawn
import numpy as np
from lipwright.core.contracts import FaceTrack, RenderWindow
from lipwright.render.crossmodal.renderer import CrossModalRenderer
frames, landmarks, pose = drawn(2)
track = FaceTrack(landmarks, np.zeros((2, 478, 3), np.float32), np.ones(2, np.float32), pose, (128, 128))
window = RenderWindow(frames, track, np.zeros((2, 3, 2), np.float32), track)
patches = list(CrossModalRenderer.load(ARGUMENTS[1]).render(window))
assert len(patches) == 2
assert all(p.mask.shape == p.rgb8.shape[:2] and p.mask.max() > 0.5 for p in patches)
"""


@pytest.mark.slow
def test_virtual_human_is_trained_and_drawn(tmp_path: Path) -> None:
    """Oracle, synthetic set and renderer from one file."""
    runpy.run_path(str(HERE / "drawn.py"))["write_heads"](tmp_path / "p.safetensors")
    out = tmp_path / "out"
    done = bare(TRAIN, str(tmp_path / "p.safetensors"), "-o", str(out), "--budget", "4 steps", "--device", "cpu")
    assert done.returncode == 0, done.stderr
    record = json.loads((out / "training.json").read_text(encoding="utf-8"))
    assert (record["steps"], record["oracle"]["steps"]) == (4, 4)
    assert record["oracle"]["validation"]["head_psnr_db"] > 5
    for name in ("renderer-preview", "oracle-preview"):
        assert cv2.imread(str(out / f"{name}.png")).std() > 1
    assert sorted(p.suffix for p in out.iterdir()) == [".json", ".png", ".png", ".safetensors"]
    drawn = bare(SPEAK_HEARING, str(HERE), str(out / "renderer.safetensors"))
    assert drawn.returncode == 0, drawn.stderr


@pytest.mark.slow
def test_what_the_user_can_mend_is_one_sentence(tmp_path: Path) -> None:
    done = bare(TRAIN, str(tmp_path / "none.safetensors"), "-o", str(tmp_path / "out"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_packed_face_is_trained(tmp_path: Path) -> None:
    """meta-talk: the drawings were made where the rasteriser is."""
    save_packed(tmp_path / "p.safetensors", data_of(film()), SMALL)
    out = tmp_path / "out"
    done = bare(TRAIN, str(tmp_path / "p.safetensors"), "-o", str(out), "--budget", "3 steps", "--device", "cpu")
    assert done.returncode == 0, done.stderr
    assert json.loads((out / "training.json").read_text(encoding="utf-8"))["steps"] == 3
    for name in ("preview", "mouths"):
        assert cv2.imread(str(out / f"{name}.png")).std() > 1
    NeuralFaceRenderer.load(out / "renderer.safetensors")
