from __future__ import annotations

from pathlib import Path

import pytest

from lipwright.core.errors import OutputError
from lipwright.core.files import atomic_file, atomic_folder, write_json


def write_half(target: Path) -> None:
    with atomic_file(target) as temporary:
        temporary.write_text("half", encoding="utf-8")
        raise RuntimeError("stop")


def make_half(target: Path) -> None:
    with atomic_folder(target) as folder:
        (folder / "half").touch()
        raise KeyboardInterrupt


def test_a_failure_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old", encoding="utf-8")
    with pytest.raises(RuntimeError, match="stop"):
        write_half(target)
    assert target.read_text(encoding="utf-8") == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_folders_appear_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "persona"
    with pytest.raises(KeyboardInterrupt):
        make_half(target)
    assert list(tmp_path.iterdir()) == []
    for content in ("one", "two"):
        with atomic_folder(target) as folder:
            (folder / "x").write_text(content, encoding="utf-8")
    assert (target / "x").read_text(encoding="utf-8") == "two"
    assert [p.name for p in tmp_path.iterdir()] == ["persona"]


def test_an_unwritable_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot write"), atomic_file(tmp_path / "file" / "below.json"):
        pass
    with pytest.raises(OutputError, match="it is a folder"), atomic_file(tmp_path):
        pass


def test_json_round_trip(tmp_path: Path) -> None:
    write_json(tmp_path / "a" / "b.json", {"ü": [1, 2]})
    assert (tmp_path / "a" / "b.json").read_text(encoding="utf-8") == '{\n  "ü": [\n    1,\n    2\n  ]\n}\n'
