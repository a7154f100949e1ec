"""Weight files as users bring them, and files that are none."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import torch

from lipwright.core import weights
from lipwright.core.errors import CheckpointError

WRONG = [
    ("code", "code in it will not be run"),
    ("code beside tensors", "code in it will not be run"),
    ("text", "cannot be read as weights|not a plain file of tensors"),
    ("truncated", "cannot be read as weights"),
    ("list", "no plain table of tensors"),
]
"""What no weight file may be, and how it is refused."""


class Harm:
    """What a hostile pickle does when it is loaded carelessly: it makes the folder that $HARM names."""

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (os.environ["HARM"],)


def model_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where models are kept for one test; not made yet. `Harm` is done beside it."""
    monkeypatch.setenv("LIPWRIGHT_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("HARM", str(tmp_path / "harm"))
    return tmp_path / "models"


def save_wrong(source: Path, kind: str, held: dict[str, Any]) -> None:
    """A file of `held`, spoilt as one of `WRONG`; as it is for another kind."""
    wrong = {"code": Harm(), "code beside tensors": {**held, "x": Harm()}, "list": [1, 2]}
    torch.save(wrong.get(kind, held), source)
    if kind == "text":
        source.write_text("no weights\n", encoding="utf-8")
    elif kind == "truncated":
        source.write_bytes(source.read_bytes()[:300])


def check_refused(name: str, source: Path, words: str) -> None:
    """`source` is refused as model `name` in one sentence that names it; nothing of it is run or kept."""
    with pytest.raises(CheckpointError, match=words) as caught:
        weights.add(name, source)
    said = str(caught.value)
    assert source.name in said
    assert "\n" not in said
    assert ". " not in said.replace(str(source), "")
    assert not Path(os.environ["LIPWRIGHT_MODELS"]).exists()
    assert not Path(os.environ["HARM"]).exists()
