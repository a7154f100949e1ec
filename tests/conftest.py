"""The bundled presenter, prepared and trained once for the whole suite."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

import lipwright
from lipwright.recipes.train import train
from lipwright.subject.prepare import prepare
from lipwright.subject.store import Subject
from lipwright.synthesis.speaker import Persona

os.environ.setdefault("LIPWRIGHT_ENGINE", "torch")  # comparing engines takes seconds; tests/engines does it
# A suite that a script started in its background ignores Ctrl-C, and so would the programs that tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

PRESENTER = Path(lipwright.__file__).parent / "assets" / "presenter.mp4"
SECONDS = 10


@pytest.fixture(scope="session")
def presenter() -> Path:
    return PRESENTER


@pytest.fixture(scope="session")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Subject:
    """Ten seconds of the presenter, 250 frames of 512 px."""
    return prepare(PRESENTER, tmp_path_factory.mktemp("presenter") / "subject", trim=(0, SECONDS))


@pytest.fixture(scope="session")
def persona_folder(subject: Subject, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`instant`, trained for a few seconds."""
    folder = tmp_path_factory.mktemp("persona") / "presenter.persona"
    train(subject, out=folder, budget="40 steps")
    return folder


@pytest.fixture(scope="session")
def persona(persona_folder: Path) -> Persona:
    loaded: Persona = Persona.load(persona_folder)
    return loaded
