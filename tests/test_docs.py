"""The documentation holds: commands parse, options exist and are explained, imports work, links resolve."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import runpy
import shlex
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
import typer

import lipwright
from lipwright.cli.app import app

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *ROOT.glob("docs/*.md")])
SOURCES = sorted(ROOT.glob("src/lipwright/**/*.py"))
SYSTEM_COMMANDS = {"source", "git", "tensorboard"}


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path, language: str) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def commands() -> Iterator[tuple[str, list[str]]]:
    for page in PAGES:
        for block in blocks(page, "bash"):
            for line in block.replace("\\\n", " ").splitlines():
                if words := shlex.split(line, comments=True):
                    yield name_of(page), words


def parse(arguments: list[str]) -> Any:
    """The context of the verb that would run; the parser's own error when it would not."""
    command: Any = typer.main.get_command(app)
    context = command.make_context("lipwright", list(arguments))
    while hasattr(command, "commands"):
        _, command, arguments = command.resolve_command(context, list(arguments))
        context = command.make_context(command.name, list(arguments), parent=context)
    return context


COMMANDS = list(commands())


@pytest.mark.parametrize(("page", "words"), COMMANDS, ids=[" ".join(words)[:60] for _, words in COMMANDS])
def test_every_command_exists_with_its_options(page: str, words: list[str]) -> None:
    match words:
        case ["lipwright", "--version"]:
            assert lipwright.__version__
        case ["lipwright", *arguments]:
            parse(arguments)
        case ["make", target, *_]:
            assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
        case ["python", "-m", name, *arguments] if name.startswith("lipwright."):
            module = importlib.import_module(name)
            program = importlib.import_module(f"{name}.__main__") if hasattr(module, "__path__") else module
            program.parser().parse_args(arguments)
        case ["torchrun", "--nproc-per-node", _, "-m", "lipwright", *arguments]:
            parse(arguments)
        case ["python", script, *arguments] if script.startswith("benchmarks/"):
            runpy.run_path(str(ROOT / script))["parser"]().parse_args(arguments)
        case _:
            assert words[0] in SYSTEM_COMMANDS, f"{page}: unknown command {words[0]}"


def test_stated_encoder_defaults_are_those_of_the_code() -> None:
    from lipwright.media.codecs import DEFAULT_PRESET, VIDEO

    text = (ROOT / "docs" / "speak.md").read_text(encoding="utf-8")
    for codec in VIDEO.values():
        assert f"{codec.name} {codec.best} to {codec.worst}; {codec.crf} by default" in text
    assert f"`{DEFAULT_PRESET}` by default" in text


def test_a_planted_option_is_caught() -> None:
    with pytest.raises(Exception, match="--no-such-option"):
        parse(["train", "a.subject", "--no-such-option"])


def test_a_planted_verb_is_caught() -> None:
    with pytest.raises(Exception, match="transmogrify"):
        parse(["transmogrify"])


def verbs() -> Iterator[tuple[str, list[str]]]:
    root: Any = typer.main.get_command(app)
    for name, command in root.commands.items():
        for inner, leaf in getattr(command, "commands", {"": command}).items():
            yield f"{name} {inner}".strip(), [p.opts[0] for p in leaf.params if p.opts[0].startswith("--")]


@pytest.mark.parametrize(("verb", "options"), list(verbs()))
def test_every_verb_and_option_is_explained(verb: str, options: list[str]) -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert f"lipwright {verb}" in text
    own = ROOT / "docs" / f"{verb}.md"
    explained = own.read_text(encoding="utf-8") if own.is_file() else text
    assert [o for o in options if o not in explained] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_resolve(page: Path) -> None:
    wrong = []
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.is_file() or (anchor and anchor not in anchors(file)):
            wrong.append(target)
    assert wrong == []


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def python_blocks() -> list[Any]:
    return [pytest.param(code, id=f"{name_of(page)}-{i}") for page in PAGES for i, code in python_of(page)]


def python_of(page: Path) -> list[tuple[int, str]]:
    return list(enumerate(blocks(page, "python")))


@pytest.mark.parametrize("code", python_blocks())
def test_python_examples_name_what_exists(code: str) -> None:
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            module = import_module(node.module or "")
            assert [a.name for a in node.names if not hasattr(module, a.name)] == []
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "lw":
            assert node.attr in lipwright.__all__
        if isinstance(node, ast.Call):
            check_call(node)


def check_call(node: ast.Call) -> None:
    """Keywords of a call whose function is known by its name."""
    function = known_functions().get(ast.unparse(node.func).rpartition(".")[2])
    if function is None:
        return
    accepted = inspect.signature(function).parameters
    assert [k.arg for k in node.keywords if k.arg not in accepted] == []


def known_functions() -> dict[str, Any]:
    from lipwright.evaluate.protocols import run_cross, run_self
    from lipwright.evaluate.video import evaluate
    from lipwright.media.settings import EncoderSettings
    from lipwright.recipes.base import Recipe
    from lipwright.recipes.train import train
    from lipwright.subject.prepare import prepare
    from lipwright.synthesis.speaker import Persona
    from lipwright.synthesis.speaking import Speaking

    found: list[Any] = [prepare, train, evaluate, run_self, run_cross, EncoderSettings, Recipe]
    return {f.__name__: f for f in found} | {"speak": Persona.speak, "write": Speaking.write, "load": Persona.load}


def test_the_example_recipe_registers_through_its_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    from lipwright.core import registry
    from lipwright.recipes.base import Recipe

    page = ROOT / "docs" / "architecture.md"
    code = next(block for block in blocks(page, "python") if "Recipe(" in block)
    [line] = [x for x in blocks(page, "toml")[0].splitlines() if " = " in x]
    name, target = (part.strip().strip('"') for part in line.split("="))
    namespace: dict[str, Any] = {}
    exec(code, namespace)
    recipe = namespace[target.partition(":")[2]]

    monkeypatch.setattr(EntryPoint, "load", lambda self: recipe)
    group = "lipwright.recipes"
    monkeypatch.setattr(registry, "entry_points", lambda group: [EntryPoint(name, target, group)])
    recipes: registry.Registry[Recipe] = registry.Registry("recipe", group)
    assert recipes.get(name) is recipe
    assert recipe.name == name
    recipe.check("draft", "sewn")


def test_the_errors_page_quotes_real_messages() -> None:
    text = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    table = text.partition("## Common messages")[2].partition("##")[0]
    quoted = re.findall(r"^\| `([^`]+)`", table, re.MULTILINE)
    code = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)
    written = re.sub(r'"\s*\n\s*f?"', "", code)
    missing = [q for q in quoted if not all(part.strip() in written for part in q.split("…"))]
    assert len(quoted) > 15
    assert missing == []


def test_environment_variables_exist() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    named = set(re.findall(r"LIPWRIGHT_[A-Z_]+", text))
    assert named
    assert {n for n in named if n not in code} == set()


def test_every_metric_is_explained() -> None:
    """Keys that `evaluate` writes stand in its page, and the page names no others."""
    code = "\n".join(p.read_text(encoding="utf-8") for p in SOURCES if p.parent.name == "evaluate")
    prefixes = "mouth|face|full|landmarks|lips|speech|time|shape|lipmatch"
    page = set(re.findall(rf"`((?:{prefixes})\.[a-z_]+)`", (ROOT / "docs" / "evaluate.md").read_text(encoding="utf-8")))
    written = set(re.findall(rf'"((?:{prefixes})\.[a-z_]+)"', code))
    assert written <= page
    assert {key for key in page if f'"{key}"' not in code and f'"{key.partition(".")[2]}"' not in code} == set()
