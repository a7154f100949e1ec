from __future__ import annotations

import json
import re
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from lipwright.cli import results
from lipwright.cli.main import run
from lipwright.core.errors import ConfigError

ROOT = Path(__file__).parents[2]
MACHINE = {
    "lipwright": "0.1.0", "commit": "abc1234", "date": "2026-01-02", "processor": "a chip", "cores": 2, "load": 1,
}  # fmt: skip


def made(tables: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {"schema": 1, "command": "make it", "machine": MACHINE, "tables": tables, "notes": [], **more}


PAGE = "# Mine\n\nby hand\n\n<!-- report: speed -->\nold\n<!-- end of speed -->\n\nalso by hand\n"


def test_a_section_is_filled_and_the_rest_stays() -> None:
    shown = made([results.table("How fast", ("step", "fps"), [("draw", 12.345), ("none", None), ("yes", True)])])
    page, missing = results.fill(PAGE, {"speed": shown})
    assert missing == []
    assert page.startswith("# Mine\n\nby hand\n\n<!-- report: speed -->\n```bash\nmake it\n```\n")
    assert page.endswith("<!-- end of speed -->\n\nalso by hand\n")
    assert "**How fast**\n\n| step | fps |\n|---|---|\n| draw | 12.3 |\n| none | - |\n| yes | yes |" in page
    assert "Measured on 2026-01-02 at commit abc1234, lipwright 0.1.0, on 2 cores of a chip, load 1." in page
    assert "old" not in page
    assert results.fill(page, {"speed": shown})[0] == page


def test_a_section_without_result_is_named_and_left() -> None:
    assert results.fill(PAGE, {}) == (PAGE, ["speed"])


def test_a_section_without_end_is_refused() -> None:
    with pytest.raises(ConfigError, match="'speed' has no end"):
        results.fill("<!-- report: speed -->\n", {})


def test_results_of_bench_are_understood(tmp_path: Path) -> None:
    measure = {
        "step": "sew",
        "fps": 10.0,
        "fps_low": 9.0,
        "fps_high": 11.0,
        "peak_mb": None,
        "cpu_ms": 5.5,
        "ratio": 1.0,
    }
    given = {"benchmark": "sew", "seconds": 10.0, "repeats": 3, "machine": MACHINE, "measures": [measure]}
    (tmp_path / "sew.json").write_text(json.dumps(given), encoding="utf-8")
    text = results.markdown(results.load(tmp_path)["sew"])
    assert "lipwright bench sew --seconds 10 --repeats 3" in text
    assert "| sew | 10 | 9 to 11 | 1 | 5.5 | - |" in text


def test_a_quality_table_of_renderers_is_understood(tmp_path: Path) -> None:
    scores = {
        "mouth_psnr_db": 28.5,
        "mouth_ssim": 0.875,
        "mouth_sharpness": 0.5,
        "mouth_jitter": 0.75,
        "full_ssim": 0.98,
    }
    rows = {
        "sewn": {"status": "run", **scores, "steps": 500, "cpu_s": 90.5, "machine": MACHINE},
        "memory": {"status": "not run"},
    }
    given = {"benchmark": "render ablations", "device": "cpu", "preset": "draft", "steps": 500, "seed": 0}
    given |= {"changes": {"size": 192}, "subjects": {"a.subject": {"source": "x", "rows": rows}}}
    (tmp_path / "table.json").write_text(json.dumps(given), encoding="utf-8")
    text = results.markdown(results.load(tmp_path)["table"])
    command = "lipwright bench render a.subject --ablations --preset draft --steps 500 --seed 0 --set size=192"
    assert f"{command} --json table.json\n" in text
    assert "| sewn | 28.5 | 0.875 | 0.5 | 0.75 | 0.98 | 500 | 90.5 |" in text
    assert "| memory | not run | - |" in text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is not a result"),
        ('{"schema": 7}', "schema 7"),
        ("[]", "is not a result"),
        ('{"schema": 1, "command": "x", "machine": {}, "tables": [], "notes": []}', "is not a result"),
        (
            '{"schema": 1, "command": "x", "machine": {"cores": 1, "processor": "x", "lipwright": "1"}, "notes": [], '
            '"tables": [{"columns": [], "rows": []}]}',
            "is not a result",
        ),
    ],
)
def test_damaged_results_are_refused(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=words):
        results.load(tmp_path)


def test_no_results_at_all_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no results"):
        results.load(tmp_path / "nowhere")


def test_commands_hide_where_files_lay() -> None:
    command = results.command_line("b.py", ["/home/me/anchor.mp4", "a=/home/me/a.persona", "--audio", "57-64"])
    assert command == "python b.py anchor.mp4 a=a.persona --audio 57-64"


def test_the_verb_writes_checks_and_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page, folder = tmp_path / "page.md", tmp_path / "results"
    folder.mkdir()
    page.write_text(PAGE, encoding="utf-8")
    (folder / "speed.json").write_text(json.dumps(made([results.table("", ("a",), [("b",)])])), encoding="utf-8")
    arguments = ["report", str(page), "--results", str(folder)]
    assert run([*arguments, "--check"]) == 2
    assert "is not what the results" in capsys.readouterr().err
    assert run(arguments) == 0
    assert run([*arguments, "--check"]) == 0
    (folder / "speed.json").rename(folder / "other.json")
    assert run(arguments) == 2
    assert "no speed.json" in capsys.readouterr().err


def test_committed_pages_are_what_the_committed_results_give() -> None:
    found = results.load(ROOT / "benchmarks" / "results")
    shown = set()
    for page in (ROOT / "docs" / "results.md", ROOT / "docs" / "evaluate.md"):
        text = page.read_text(encoding="utf-8")
        new, missing = results.fill(text, found)
        assert missing == []
        assert new == text, f"{page} is older than its results; run: lipwright report {page}"
        for section in re.findall(r"<!-- report: ([\w-]+) -->", text):
            shown |= {id(one) for one in results.parts(section, found).values()}
    assert {name for name, one in found.items() if id(one) not in shown} == set()


def test_results_named_alike_share_tables() -> None:
    one = made([results.table("self", ("recipe", "PSNR"), [("instant", 25.5)])])
    two = made([results.table("self", ("recipe", "PSNR", "closure"), [("instant", 27.5, 0.5)])], command="make two")
    page, missing = results.fill(PAGE, {"speed-anchor": one, "speed-vlog": two, "speeds": one})
    assert missing == []
    assert "```bash\nmake it\nmake two\n```" in page
    assert "anchor: Measured on 2026-01-02" in page
    assert "|  | recipe | PSNR | closure |" in page
    assert "| anchor | instant | 25.5 | - |\n| vlog | instant | 27.5 | 0.5 |" in page
    assert page.count("**self**") == 1


def test_one_of_several_still_says_which() -> None:
    shown = made([results.table("", ("a",), [("b",)])])
    assert "| anchor | b |" in results.fill(PAGE, {"speed-anchor": shown})[0]


def test_a_persona_is_called_by_its_name_only() -> None:
    from lipwright.cli.bench.tables import of_measures

    given = {"benchmark": "speak", "seconds": 4.0, "repeats": 1, "persona": "/home/me/a.persona", "machine": MACHINE}
    assert of_measures({**given, "measures": []})["command"].endswith("--persona a.persona")


def test_stages_stand_in_a_table_of_their_own_most_first() -> None:
    from lipwright.cli.bench.measure import Measure
    from lipwright.cli.bench.tables import of_measures

    copy, spoken = (Measure(name, 50.0, 49.0, 51.0, 100.0, 20.0, 1.0, 1.0) for name in ("copy", "speak, memory"))
    spoken = replace(spoken, stages={"decode": 4.0, "render": 16.0})
    given = {"benchmark": "speak", "seconds": 4.0, "repeats": 1, "machine": MACHINE}
    plain = of_measures({**given, "measures": [asdict(copy)]})
    found = of_measures({**given, "measures": [asdict(copy), asdict(spoken)]})
    assert len(plain["tables"]) == 1
    assert found["tables"][1]["columns"] == ["step", "render", "decode"]
    assert found["tables"][1]["rows"] == [["speak, memory", 16.0, 4.0]]
