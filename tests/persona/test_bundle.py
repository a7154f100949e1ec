"""A persona folder travels: whole it speaks anywhere, damaged it says what is wrong, and nothing in it is executed."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lipwright.core.checkpoint import load_tensors, save_tensors
from lipwright.core.errors import CheckpointError, ConfigError, LipwrightError, OutputError, PersonaError
from lipwright.core.files import file_hash
from lipwright.persona.template import Template
from lipwright.synthesis.speaker import Persona

SPEECH = (0.1 * np.sin(np.arange(6400) / 9)).astype(np.float32)


@pytest.fixture
def folder(persona_folder: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(persona_folder, tmp_path / "copy.persona"))


def change_info(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    file = folder / "persona.json"
    info = json.loads(file.read_text())
    change(info)
    file.write_text(json.dumps(info))


def accept(folder: Path, name: str) -> None:
    """Write the present hash of a part into persona.json, as if it had been saved so."""
    digest = file_hash(folder / f"{name}.safetensors")
    change_info(folder, lambda info: info["parts"][name].update(sha256=digest))


def frames_of(persona: Persona) -> list[np.ndarray]:
    return [frame.rgb8 for frame in persona.speak(SPEECH)]


def one_sentence(error: LipwrightError) -> None:
    assert "\n" not in str(error)
    assert len(str(error)) < 600
    assert ";" in str(error), "a next step follows the fault"


def test_a_loaded_persona_saved_again_speaks_the_same_bits(persona: Persona, tmp_path: Path) -> None:
    other = Persona.load(persona.path)
    other.save(tmp_path / "again")
    again = Persona.load(tmp_path / "again")
    assert again.info == persona.info
    for a, b in zip(frames_of(persona), frames_of(again), strict=True):
        np.testing.assert_array_equal(a, b)


def test_it_needs_nothing_but_its_folder(persona: Persona, persona_folder: Path, tmp_path: Path) -> None:
    """No file mentions where it was made, so the subject and the place of training may vanish."""
    moved = shutil.copytree(persona_folder, tmp_path / "elsewhere")
    for file in ("persona.json", "motion.safetensors", "memory.safetensors"):
        assert str(persona_folder.parent).encode() not in (moved / file).read_bytes()
    lonely = Persona.load(moved)
    assert Path(lonely.template.path).is_relative_to(moved)
    for a, b in zip(frames_of(persona), frames_of(lonely), strict=True):
        np.testing.assert_array_equal(a, b)


def test_loading_executes_nothing(persona_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(*args: Any, **options: Any) -> Any:
        raise AssertionError("a persona was unpickled")

    for module, name in ((pickle, "load"), (pickle, "loads"), (pickle, "Unpickler"), (torch, "load")):
        monkeypatch.setattr(module, name, explode)
    Persona.load(persona_folder)


def test_a_pickled_archive_is_refused(folder: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return (pytest.fail, ("executed",))

    np.savez(folder / "template.npz", landmarks_px=np.array([Bomb()], object))
    with pytest.raises(LipwrightError) as caught:
        Persona.load(folder)
    one_sentence(caught.value)
    with pytest.raises(PersonaError, match="damaged"):
        Template.load(folder)


def test_a_templates_track_knows_the_size_of_its_pictures(persona_folder: Path) -> None:
    template = Template.load(persona_folder)
    assert template.track.size == template.size
    assert min(template.size) > 0


def test_a_folder_that_is_no_persona(tmp_path: Path) -> None:
    with pytest.raises(PersonaError, match="lipwright train"):
        Persona.load(tmp_path)
    with pytest.raises(PersonaError, match="lipwright train"):
        Persona.load(tmp_path / "nowhere")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 1}', '{"schema": "x", "parts": {}}', "\x00"])
def test_a_foreign_description(folder: Path, text: str) -> None:
    (folder / "persona.json").write_text(text)
    with pytest.raises(PersonaError, match="not a persona description") as caught:
        Persona.load(folder)
    one_sentence(caught.value)


def test_a_newer_persona_asks_for_a_newer_lipwright(folder: Path) -> None:
    change_info(folder, lambda info: info.update(schema=99))
    with pytest.raises(PersonaError, match=r"schema 99.*update lipwright"):
        Persona.load(folder)


@pytest.mark.parametrize("name", ["motion.safetensors", "memory.safetensors", "template.mp4", "template.npz"])
@pytest.mark.parametrize("damage", ["missing", "truncated", "empty", "other"])
def test_every_file_is_missed_and_checked(folder: Path, name: str, damage: str) -> None:
    file = folder / name
    data = file.read_bytes()
    if damage == "missing":
        file.unlink()
    elif damage == "truncated":
        file.write_bytes(data[: len(data) // 2])
    elif damage == "empty":
        file.write_bytes(b"")
    else:
        middle = len(data) // 2
        file.write_bytes(data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :])
    with pytest.raises((PersonaError, CheckpointError), match=name) as caught:
        Persona.load(folder)
    one_sentence(caught.value)


def test_weights_of_another_persona(folder: Path) -> None:
    """A whole file of the right kind, but not the one that belongs here."""
    tensors, config = load_tensors(folder / "motion.safetensors")
    save_tensors(folder / "motion.safetensors", {k: v + 1 for k, v in tensors.items()}, config)
    with pytest.raises(CheckpointError, match="not the file this persona was saved with"):
        Persona.load(folder)


@pytest.mark.parametrize("part", ["motion", "memory"])
@pytest.mark.parametrize("damage", ["less", "shape", "config"])
def test_weights_that_do_not_fit_their_description(folder: Path, part: str, damage: str) -> None:
    file = folder / f"{part}.safetensors"
    tensors, config = load_tensors(file)
    first = sorted(tensors)[0]
    if damage == "less":
        del tensors[first]
    elif damage == "shape":
        tensors[first] = torch.zeros(3, 1, 4, 1)
    else:
        config = {"kind": config["kind"]} if part == "motion" else {}
    save_tensors(file, tensors, config)
    accept(folder, part)
    with pytest.raises(LipwrightError) as caught:
        frames_of(Persona.load(folder))
    assert isinstance(caught.value, (PersonaError, CheckpointError, ConfigError))
    one_sentence(caught.value)


def test_parts_that_are_not_installed(folder: Path) -> None:
    change_info(folder, lambda info: info["parts"]["memory"].update(kind="holograms"))
    with pytest.raises(PersonaError, match="'holograms', which is not installed"):
        Persona.load(folder)


def test_a_renderer_it_does_not_hold(folder: Path, persona: Persona) -> None:
    change_info(folder, lambda info: info.update(renderer="translation"))
    with pytest.raises(PersonaError, match="names the renderer 'translation'"):
        Persona.load(folder)
    with pytest.raises(ConfigError, match="it has memory"):
        persona.speak(SPEECH, renderer="translation")


def test_saving_never_replaces_what_is_no_persona(persona: Persona, tmp_path: Path) -> None:
    (tmp_path / "holiday").mkdir()
    (tmp_path / "holiday" / "photo.jpg").write_bytes(b"x")
    (tmp_path / "file").write_bytes(b"y")
    for place in (tmp_path / "holiday", tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(OutputError, match="cannot write"):
            persona.save(place)
    assert (tmp_path / "holiday" / "photo.jpg").read_bytes() == b"x"
    assert (tmp_path / "file").read_bytes() == b"y"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "holiday"]


def test_saving_over_itself_and_into_an_empty_folder(folder: Path, tmp_path: Path) -> None:
    before = frames_of(Persona.load(folder))
    persona = Persona.load(folder)
    persona.save(folder)
    (tmp_path / "empty").mkdir()
    persona.save(tmp_path / "empty")
    for place in (folder, tmp_path / "empty"):
        for a, b in zip(before, frames_of(Persona.load(place)), strict=True):
            np.testing.assert_array_equal(a, b)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["copy.persona", "empty"]
