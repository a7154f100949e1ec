"""A persona's networks as files for other runtimes, each compared with torch, and a description of how to feed them."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lipwright.core.errors import ConfigError, DependencyError, OutputError
from lipwright.core.files import atomic_folder, write_json
from lipwright.core.progress import Progress, Silent
from lipwright.engines.engine import Engined, package_version
from lipwright.engines.network import Network, Port
from lipwright.engines.onnx_file import OPSET, needed, write_onnx
from lipwright.engines.parity import parity
from lipwright.engines.running import OnnxRuntime, OpenVino
from lipwright.persona.bundle import Bundle

TARGETS = ("onnx", "openvino", "tensorrt")
DESCRIPTION = "export.json"
SCHEMA = 1
_FRAMES = (16, 384, 7500)
"""Least, usual and most frames of networks with open axes, for TensorRT."""


def networks(persona: Bundle) -> list[Network]:
    """All networks of a persona's renderers and motion models; names are unique."""
    found: list[Network] = []
    parts = [*persona.renderers.values(), *persona.motions.values()]
    for part in parts:
        if isinstance(part, Engined):
            found += part.networks()
    return found


def export(persona: Bundle, to: str, folder: Path, progress: Progress | None = None) -> dict[str, Any]:
    """Write every network of a persona into a folder, with `export.json`; returns what that holds.

    Args:
        to: 'onnx'; 'openvino' (.xml and .bin); 'tensorrt' (the ONNX files and `build.sh`, which is run where there
            is a trtexec).
        folder: appears whole or not at all.
    ConfigError for another target or a persona without networks, DependencyError without the extra 'export',
    OutputError when something else lies there.
    """
    progress = progress or Silent()
    if to not in TARGETS:
        raise ConfigError(f"unknown target '{to}'; choose {', '.join(TARGETS)}")
    needed("onnx", "onnxscript", "openvino" if to == "openvino" else "onnxruntime")
    wanted = networks(persona)
    if not wanted:
        raise ConfigError("this persona has no network to export; its renderer is the appearance memory")
    if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not (folder / DESCRIPTION).is_file())):
        raise OutputError(f"cannot write {folder}: other things lie there; choose a new folder")
    with atomic_folder(folder) as place:
        progress.start("export", len(wanted))
        described = []
        for done, network in enumerate(wanted, 1):
            described.append(_WRITE[to](network, place))
            progress.update(done, network.name)
        progress.finish()
        about = {"schema": SCHEMA, "to": to, "recipe": persona.info.get("recipe"), "opset": OPSET}
        versions = {name: package_version(name) for name in ("torch", "onnx", "openvino", "onnxruntime")}
        found = {**about, "versions": versions, "networks": described}
        if to == "tensorrt":
            found["built"] = _build(place, wanted)
        write_json(place / DESCRIPTION, found)
    return found


def _onnx(network: Network, place: Path) -> dict[str, Any]:
    file = place / f"{network.name}.onnx"
    write_onnx(network, file)
    error = asdict(parity(OnnxRuntime(file), network))
    return _told(network, [file.name], {"onnxruntime fp32": error})


def _openvino(network: Network, place: Path) -> dict[str, Any]:
    import openvino

    file, source = place / f"{network.name}.xml", place / f"{network.name}.onnx"
    write_onnx(network, source)
    openvino.save_model(openvino.convert_model(source), file, compress_to_fp16=False)
    source.unlink()
    errors: dict[str, Any] = {"openvino fp32": asdict(parity(OpenVino(file, "fp32"), network))}
    coarse = OpenVino(file, "bf16")
    native = coarse.precision == "bf16"
    errors["openvino bf16"] = asdict(parity(coarse, network)) if native else None
    return _told(network, [file.name, file.with_suffix(".bin").name], errors)


_WRITE: dict[str, Callable[[Network, Path], dict[str, Any]]] = {
    "onnx": _onnx,
    "openvino": _openvino,
    "tensorrt": _onnx,
}


def _told(network: Network, files: list[str], errors: dict[str, Any]) -> dict[str, Any]:
    """One network's entry; a precision that this processor lacks has None for its error: it was not run."""
    return {
        "name": network.name,
        "files": files,
        "inputs": [{"name": p.name, "shape": _shape(p), "range": [p.low, p.high]} for p in network.inputs],
        "outputs": list(network.outputs),
        "made_for": dict(network.shape),
        "unit": network.unit,
        "units_per_one": network.per_unit,
        "error": errors,
    }


def _shape(port: Port) -> list[int | str]:
    return [n if isinstance(n, int) else "T" if n[1] == 1 else f"{n[1]}*T" for n in port.shape]


def _build(place: Path, wanted: list[Network]) -> bool:
    """Write build.sh; run it where there is a trtexec, and say whether it ran."""
    script = place / "build.sh"
    commands = [shlex.join(trtexec(network)) for network in wanted]
    script.write_text('#!/bin/sh\nset -e\ncd "$(dirname "$0")"\n' + "\n".join(commands) + "\n", encoding="utf-8")
    script.chmod(0o755)
    if shutil.which("trtexec") is None:
        return False
    ran = subprocess.run([str(script)], capture_output=True, text=True, check=False)
    if ran.returncode:
        raise DependencyError(f"trtexec failed: {' '.join((ran.stderr or ran.stdout).split())[-300:]}")
    return True


def trtexec(network: Network) -> list[str]:
    """The command that builds a network's plan in fp16 from its ONNX file."""
    command = ["trtexec", f"--onnx={network.name}.onnx", f"--saveEngine={network.name}.plan", "--fp16"]
    if any(not isinstance(n, int) for port in network.inputs for n in port.shape):
        for option, frames in zip(("minShapes", "optShapes", "maxShapes"), _FRAMES, strict=True):
            sizes = (f"{p.name}:{'x'.join(map(str, p.sized(frames)))}" for p in network.inputs)
            command.append(f"--{option}={','.join(sizes)}")
    return command
