"""Exported folders: every network, compared, described; TensorRT only as far as it can be told without one."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from lipwright.cli.main import run
from lipwright.core.errors import ConfigError, DependencyError, OutputError
from lipwright.engines.network import Network
from lipwright.motion.cascade import Cascade, CascadeConfig
from lipwright.motion.export import cascade_network
from lipwright.persona import export as exporting
from lipwright.persona.bundle import Bundle
from lipwright.persona.export import export, networks, trtexec


class Holds:
    """A persona of what is given."""

    def __init__(self, *parts: object) -> None:
        self.info = {"recipe": "instant"}
        self.renderers = {str(i): part for i, part in enumerate(parts)}
        self.motions: dict[str, object] = {}


class Moves:
    def networks(self) -> list[Network]:
        torch.manual_seed(0)
        return [cascade_network(Cascade(CascadeConfig(slow_features=(("phones", 3),), width=8)).eval())]

    def on(self, engine: object) -> object:
        return self


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files without an exporter: these tests are about the folder."""
    monkeypatch.setattr(exporting, "needed", lambda *names: None)
    monkeypatch.setattr(exporting, "write_onnx", lambda network, file: Path(file).write_bytes(b"onnx"))
    monkeypatch.setattr(exporting, "OnnxRuntime", lambda file: lambda *inputs: network_of(file).plain(*inputs))
    monkeypatch.setattr(exporting.shutil, "which", lambda name: None)


def network_of(file: Path) -> Network:
    return Moves().networks()[0]


def test_a_folder_tells_how_to_feed_its_networks(quick: None, tmp_path: Path) -> None:
    persona: Bundle = Holds(Moves(), object())  # type: ignore[assignment]
    found = export(persona, "tensorrt", tmp_path / "out")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["build.sh", "export.json", "motion.onnx"]
    assert json.loads((tmp_path / "out" / "export.json").read_text()) == found
    (entry,) = found["networks"]
    assert [(i["name"], i["shape"]) for i in entry["inputs"]] == [
        ("phones", [1, "T", 3]), ("logfbank", [1, "4*T", 26]), ("pose", [1, "T", 3]), ("cheeks", [1, "T", 16]),
    ]  # fmt: skip
    assert entry["outputs"] == ["landmarks"]
    assert entry["unit"] == "px"
    assert 0 <= entry["error"]["onnxruntime fp32"]["rms"] < 1e-3
    assert found["built"] is False, "nothing claims to have run"
    script = (tmp_path / "out" / "build.sh").read_text()
    assert "trtexec --onnx=motion.onnx --saveEngine=motion.plan --fp16" in script
    assert "--maxShapes=phones:1x7500x3,logfbank:1x30000x26,pose:1x7500x3,cheeks:1x7500x16" in script
    assert os.access(tmp_path / "out" / "build.sh", os.X_OK)
    export(persona, "tensorrt", tmp_path / "out")  # its own folder is written again


def test_trtexec_is_run_where_there_is_one(quick: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "bin"
    place.mkdir()
    program = place / "trtexec"
    program.write_text('#!/bin/sh\nfor a in "$@"; do case $a in --saveEngine=*) echo p > "${a#*=}";; esac; done\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{place}:{os.environ['PATH']}")
    monkeypatch.setattr(exporting.shutil, "which", lambda name: str(program))
    persona: Bundle = Holds(Moves())  # type: ignore[assignment]
    assert export(persona, "tensorrt", tmp_path / "out")["built"] is True
    assert (tmp_path / "out" / "motion.plan").is_file()
    program.write_text("#!/bin/sh\necho no device >&2; exit 3\n")
    with pytest.raises(DependencyError, match="trtexec failed: no device"):
        export(persona, "tensorrt", tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_what_cannot_be_exported_is_said_before_anything_is_written(quick: None, tmp_path: Path) -> None:
    persona: Bundle = Holds(Moves())  # type: ignore[assignment]
    with pytest.raises(ConfigError, match="unknown target 'coreml'; choose onnx, openvino, tensorrt"):
        export(persona, "coreml", tmp_path / "out")
    with pytest.raises(ConfigError, match="no network to export"):
        export(Holds(object()), "onnx", tmp_path / "out")  # type: ignore[arg-type]
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("x")
    with pytest.raises(OutputError, match="other things lie there"):
        export(persona, "onnx", tmp_path / "full")
    assert not (tmp_path / "out").exists()


def test_fixed_networks_need_no_shapes() -> None:
    assert len(trtexec(Moves().networks()[0])) == 7
    fixed = Network("n", {}, torch.nn.Identity(), torch.nn.Identity, lambda x: (x,), (), ("y",))
    assert trtexec(fixed) == ["trtexec", "--onnx=n.onnx", "--saveEngine=n.plan", "--fp16"]


@pytest.mark.slow
def test_the_demo_personas_motion_in_openvino(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("onnx", "onnxscript", "openvino"):
        pytest.importorskip(name, exc_type=ImportError)
    assert run(["export", "demo", "--to", "openvino", "-o", str(tmp_path / "out"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    (entry,) = found["networks"]
    assert entry["name"] == "motion"
    assert (tmp_path / "out" / "motion.xml").is_file()
    assert (tmp_path / "out" / "motion.bin").is_file()
    assert not (tmp_path / "out" / "motion.onnx").exists()
    assert entry["error"]["openvino fp32"]["greatest"] < 0.01, "pixels"
    from lipwright.cli.assets import DEMO_PERSONA
    from lipwright.engines.running import OpenVino

    persona = Bundle.load(DEMO_PERSONA)
    (network,) = networks(persona)
    inputs = network.example(1, frames=40)
    (drawn,) = OpenVino(tmp_path / "out" / "motion.xml", "fp32")(*inputs)
    assert drawn.shape == (1, 40, 58)
    np.testing.assert_allclose(drawn, network.plain(*inputs)[0], atol=1e-3)
