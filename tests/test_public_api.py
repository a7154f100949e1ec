"""What users import: a checked list, light to import, and callable whatever was imported before."""

from __future__ import annotations

import subprocess
import sys

import pytest

import lipwright as lw

PUBLIC = ["LipwrightError", "Persona", "Subject", "__version__", "evaluate", "prepare", "train"]
"""Changing this list changes the promise made to users: say so in the changelog."""

HEAVY = ("torch", "cv2", "mediapipe", "scipy", "numba", "av", "matplotlib", "pocketsphinx")


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_public_names() -> None:
    assert sorted(lw.__all__) == PUBLIC
    assert set(PUBLIC) <= set(dir(lw))
    for name in PUBLIC:
        assert getattr(lw, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'speak'"):
        lw.speak  # noqa: B018


def test_importing_loads_nothing_heavy() -> None:
    code = f"import sys, lipwright; print([m for m in {HEAVY!r} if m in sys.modules])"
    assert python(code).strip() == "[]"


def test_speaking_loads_only_what_it_needs() -> None:
    """Trackers, plots and other engines wait until somebody asks for them: together they take longer than torch."""
    late = ("mediapipe", "jax", "matplotlib", "scipy.signal", "scipy.stats", "numba", "pocketsphinx", "tensorboard")
    late += ("openvino", "onnxruntime", "onnx", "onnxscript", "lipwright.subject.prepare", "torch._dynamo")
    code = f"import sys, lipwright.synthesis.speaker; print([m for m in {late!r} if m in sys.modules])"
    assert python(code).strip() == "[]"


def test_functions_stay_functions_after_their_rooms_are_imported() -> None:
    code = (
        "import lipwright.train.loop, lipwright.subject.prepare, lipwright.evaluate.result\n"
        "import lipwright.persona.bundle, lipwright.recipes.train, lipwright.synthesis.speaker\n"
        "import lipwright as lw\n"
        "def ask(call, *args, **options):\n"
        "    try: call(*args, **options)\n"
        "    except lw.LipwrightError as error: print(type(error).__name__)\n"
        "ask(lw.prepare, '/nowhere.mp4', '/nowhere')\n"
        "ask(lw.train, '/nowhere', budget='soon')\n"
        "ask(lw.train, '/nowhere')\n"
        "ask(lw.evaluate, '/nowhere.mp4')\n"
        "ask(lw.Persona.load, '/nowhere')\n"
        "ask(lw.Subject.open, '/nowhere')\n"
        "print(lw.Persona.__name__, lw.Subject.__name__)\n"
    )
    assert python(code).split() == [
        *("FootageError", "ConfigError", "SubjectError", "FootageError", "PersonaError", "SubjectError"),
        *("Persona", "Subject"),
    ]


def test_every_error_is_caught_by_the_root_and_by_its_builtin() -> None:
    from lipwright.core import errors

    kinds = [k for k in vars(errors).values() if isinstance(k, type) and issubclass(k, Exception)]
    assert len(kinds) == 11
    for kind in kinds:
        assert issubclass(kind, lw.LipwrightError)
        assert kind is lw.LipwrightError or issubclass(kind, (ValueError, TypeError, ImportError, OSError))
        assert kind.__doc__
