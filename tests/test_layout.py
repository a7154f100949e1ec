"""The folders show the flow, and imports go one way through it."""

from __future__ import annotations

import ast
from importlib.metadata import distributions
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src" / "lipwright"
FLOW = [
    "core", "engines", "media", "speech", "face", "subject", "motion", "render", "compose", "metrics", "train",
    "persona", "synthesis", "evaluate", "recipes", "presenter", "hearing", "lipmatch", "pretrain", "cli",
]  # fmt: skip


def imported_rooms(path: Path) -> set[str]:
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        rooms |= {n.split(".")[1] for n in names if n.startswith("lipwright.")}
    return rooms & set(FLOW)


def violations(source: Path) -> list[str]:
    found = []
    for path in sorted(source.rglob("*.py")):
        room = path.relative_to(source).parts[0]
        if room in FLOW:
            later = FLOW[FLOW.index(room) + 1 :]
            found += [f"{path.relative_to(source)} imports {r}" for r in imported_rooms(path) if r in later]
    return found


def test_imports_go_one_way() -> None:
    assert violations(SOURCE) == []


def test_a_planted_backward_import_is_caught(tmp_path: Path) -> None:
    (tmp_path / "motion").mkdir()
    (tmp_path / "motion" / "bad.py").write_text("from lipwright.render.base import X\n", encoding="utf-8")
    assert violations(tmp_path) == ["motion/bad.py imports render"]


def test_every_folder_is_a_step_of_the_flow() -> None:
    folders = {p.name for p in SOURCE.iterdir() if p.is_dir() and not p.name.startswith("__")}
    assert folders - set(FLOW) == {"assets"}


def test_no_package_that_breaks_cpu_installs() -> None:
    """torchvision and torchaudio have no CPU build beside torch; a dependency that pulls them breaks it."""
    installed = {d.metadata["Name"].lower() for d in distributions() if d.metadata["Name"]}
    assert not installed & {"torchvision", "torchaudio"}
