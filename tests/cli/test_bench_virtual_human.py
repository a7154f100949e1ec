"""`lipwright bench virtual-human` on the command line, and its tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lipwright.cli import results
from lipwright.cli.bench import system_rows, virtual_human
from lipwright.cli.bench.virtual_human_tables import PRINTED, of_virtual_human, tables
from lipwright.cli.main import run as lipwright
from lipwright.core.errors import ConfigError
from lipwright.core.progress import Silent
from lipwright.train.loop import Budget

MACHINE = {"lipwright": "0.1.0", "commit": "abc", "date": "2026-01-01", "cores": 2, "processor": "P", "system": "S"}


def done(group: str, kind: str = "renderer", **facts: Any) -> dict[str, Any]:
    return {"status": "run", "group": group, "kind": kind, "seed": 0, "steps": 5, "machine": MACHINE, **facts}


def found() -> dict[str, Any]:
    """A table as a run leaves it."""
    rows = {
        "ours": done("ours", mouth_psnr_db=25.0, silence_ratio=0.08),
        "augmentation none": done("augmentation", mouth_psnr_db=26.0, silence_ratio=0.4),
        "one decoder": {"status": "not run", "reason": "not asked for"},
        "oracle chain": done("oracle", "oracle", mouth_psnr_db=24.0, square_px=96),
        "limits": done(
            "limits",
            "limits",
            bins=[{"from_deg": 0, "to_deg": 3, "frames": 4, "mouth_psnr_db": 20.0}],
            sticking={"made_fixed": 0.5, "made_moving": 0.1, "real_fixed": 0.1, "real_moving": 0.6, "pairs": 9},
        ),
        "comparison ours, sewn": done(
            "comparison", "compare", protocols={"self": {"psnr_db": 30.0, "lse_c": None, "real": {"psnr_db": 100.0}}}
        ),
    }
    table = system_rows.asked(virtual_human.kind(), None, 5, None, 0, None, ["width=4"])
    return {
        **system_rows.settings_of(virtual_human.NAME, table, "cpu"),
        "subjects": {"a.subject": {"source": "x", "rows": rows}},
    }


def test_each_question_has_its_table() -> None:
    made = {one["title"]: one for one in tables(found())}
    assert list(made) == [
        "augmentation",
        "oracle",
        "quality by yaw",
        "texture sticking",
        "comparison, self",
        "not run",
        "comparison, as the paper printed it",
    ]
    augmentation = made["augmentation"]
    assert augmentation["columns"] == ["row", "mouth PSNR, dB", "silence ratio", "steps"]
    assert augmentation["rows"] == [["ours", 25.0, 0.08, 5], ["augmentation none", 26.0, 0.4, 5]]
    assert made["comparison, self"]["rows"] == [["ours, sewn", 30.0], ["*real video*", 100.0]]
    assert made["texture sticking"]["rows"] == [["drawn", 0.5, 0.1, 9], ["real", 0.1, 0.6, 9]]
    assert made["not run"]["rows"] == [["one decoder", "not asked for"]]
    assert made["comparison, as the paper printed it"]["rows"] == [list(row) for row in PRINTED]


def test_several_subjects_are_named() -> None:
    two = found()
    two["subjects"]["b.subject"] = two["subjects"]["a.subject"]
    titles = [one["title"] for one in tables(two)]
    assert "a.subject: augmentation" in titles
    assert "b.subject: augmentation" in titles


def test_report_takes_the_file(tmp_path: Path) -> None:
    (tmp_path / "virtual-human-a.json").write_text(json.dumps(found()), encoding="utf-8")
    loaded = results.load(tmp_path)
    page = "<!-- report: virtual-human -->\n<!-- end of virtual-human -->\n"
    text, missing = results.fill(page, loaded)
    assert missing == []
    assert "| a | augmentation none | 26 | 0.4 | 5 |" in text
    assert "bench virtual-human a.subject --preset draft --steps 5 --seed 0 --set width=4 --json table.json" in text
    for row in (empty := found())["subjects"]["a.subject"]["rows"].values():
        row.clear()
        row["status"] = "not run"
    with pytest.raises(ValueError, match="no row was run"):
        of_virtual_human(empty)


def test_settings_of_a_table() -> None:
    assert system_rows.asked(virtual_human.kind(), None, 5, None, 3, ["ours"], None).budget == Budget(steps=5)
    timed = system_rows.asked(virtual_human.kind(), "standard", 5, "2m", 0, None, ["size=256"])
    assert (timed.budget, timed.preset) == (Budget(seconds=120), "standard")
    with pytest.raises(ConfigError, match="unknown row"):
        system_rows.asked(virtual_human.kind(), None, 5, None, 0, ["nothing"], None)
    with pytest.raises(ConfigError, match="has no setting"):
        system_rows.asked(virtual_human.kind(), None, 5, None, 0, None, ["colour=red"])


def test_reported_footage_is_whole_or_absent(tmp_path: Path) -> None:
    file = tmp_path / "a.mp4"
    file.write_bytes(b"")
    assert system_rows.reported_of(None, None, None, None) is None
    with pytest.raises(ConfigError, match="all three"):
        system_rows.reported_of(file, "0-7", None, None)
    with pytest.raises(ConfigError, match="is not a file"):
        system_rows.reported_of(tmp_path / "none.mp4", "0-7", "7-14", None)
    found = system_rows.reported_of(file, "57-64", "0-7", None)
    assert found is not None
    assert (found.audio, found.picture) == ((57.0, 64.0), (0.0, 7.0))


def test_other_settings_and_missing_names_are_refused(tmp_path: Path, capsys: Any) -> None:
    file = tmp_path / "table.json"
    file.write_text(json.dumps(found()), encoding="utf-8")
    table = system_rows.asked(virtual_human.kind(), None, 6, None, 0, None, ["width=4"])
    with pytest.raises(ConfigError, match=r"another budget \(5 steps, asked 6 steps\)"):
        virtual_human.run([], table, "cpu", file, Silent())
    assert lipwright(["bench", "virtual-human", "--json", str(file)]) == 2
    assert "needs subjects and --json FILE" in capsys.readouterr().err
    assert lipwright(["bench", "virtual-human", str(tmp_path)]) == 2


def test_tables_are_shown_as_markdown(capsys: Any) -> None:
    virtual_human.show(found())
    shown = capsys.readouterr().out
    assert "| augmentation none | 26 | 0.4 | 5 |" in shown
    assert "| one decoder | not asked for |" in shown
