"""`lipwright doctor`: what is here, what is missing, and what to do about it."""

from __future__ import annotations

import shutil
from importlib import import_module
from typing import Annotated, Any

import typer

from lipwright.cli.output import print_json, print_table

PROGRAMS = {
    "espeak-ng": "speaks text in many languages: apt install espeak-ng",
    "flite": "a better English voice for text: apt install flite",
}
NEEDED = ("torch", "numpy", "cv2", "mediapipe", "av", "scipy", "safetensors", "pocketsphinx", "numba")
EXTRAS = {
    "tensorboard": "train",
    "aiortc": "serve",
    "onnxruntime": "export",
    "openvino": "export",
    "ray": "cluster",
}
_SYSTEM = "apt install libgl1 libglib2.0-0 libegl1"


def command(json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False) -> None:
    """Check this installation and say what to do about anything missing."""
    found, advice = examine()
    if json:
        print_json(found | {"advice": advice})
        return
    print_table("", ("", ""), [(key.replace("_", " "), _words(value)) for key, value in found.items()])
    for line in advice or ["Everything needed is here."]:
        print(f"- {line}" if advice else line)


def examine() -> tuple[dict[str, Any], list[str]]:
    """(findings, advice)."""
    from lipwright.cli.assets import DEMO_PERSONA
    from lipwright.cli.machine import core_install, machine

    advice: list[str] = []
    broken = {name: why for name in NEEDED if (why := _import_error(name))}
    for name, why in broken.items():
        library = "lib" in why and ".so" in why
        step = _SYSTEM if library else "pip install lipwright again in a fresh environment"
        advice.append(f"{name} cannot be loaded ({why}): {step}")
    found = machine() if "torch" not in broken else {}
    found["libraries"] = {name: _version(name) for name in NEEDED if name not in broken}
    found["programs"] = {name: shutil.which(name) for name in PROGRAMS}
    if not any(found["programs"].values()):
        advice.append(f"no program can speak text (speech files still work): {PROGRAMS['espeak-ng']}")
    found["extras"] = {name: _version(name) for name in EXTRAS}
    size = core_install()
    found["core_install_packages"] = size[0] if size else None
    found["core_install_mb"] = round(size[1] / 1e6) if size else None
    if size is None:
        advice.append("lipwright runs from a source folder that is not installed: pip install -e .")
    found["demo_persona"] = str(DEMO_PERSONA) if DEMO_PERSONA.exists() else None
    if found["demo_persona"] is None:
        advice.append("the demo persona is not in this installation: run `lipwright demo` to make one")
    found["models"] = _models()
    if "torch" not in broken and found["gpu"] is None:
        advice.append("no GPU: draft and instant personas run well without one; standard and broadcast train slowly")
    return found, advice


def _import_error(name: str) -> str | None:
    try:
        import_module(name)
    except Exception as error:  # a broken wheel may raise anything
        return " ".join(str(error).split()) or type(error).__name__
    return None


def _version(name: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    distribution = {"cv2": "opencv-contrib-python"}.get(name, name)
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def _models() -> dict[str, str | None]:
    from lipwright.core import weights

    return {name: str(path) if (path := weights.find(name)) else None for name in weights.MODELS}


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {shown or 'no'}" for name, shown in value.items())
    return "no" if value is None else str(value)
