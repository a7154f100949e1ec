"""`lipwright bench render`: what networks cost, and the quality table that goes on where it stopped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from lipwright.cli.bench import ablations
from lipwright.cli.bench.measure import Job
from lipwright.cli.bench.render import macs, run
from lipwright.cli.main import run as lipwright
from lipwright.core.config import to_dict
from lipwright.core.errors import ConfigError
from lipwright.core.progress import Silent
from lipwright.recipes.ablation import ROWS, Table, chosen
from lipwright.render.translation.attention import SelfAttention
from lipwright.render.translation.config import preset
from lipwright.render.translation.networks import GlobalGenerator
from lipwright.subject.store import Subject

TINY = {"size": "64", "ngf": "4", "ndf": "4", "n_downs": "2", "n_blocks": "1", "batch": "1"}


def test_macs_by_hand() -> None:
    """One 3x3 convolution, 4 to 8 channels at 10 x 10; attention's products of 5 x 5 places."""
    assert macs(torch.nn.Conv2d(4, 8, 3, padding=1), (4, 10, 10)) == 8 * 4 * 9 * 100
    places, projections = 25, 8 + 8 + 64  # 8 channels: queries and keys of 1, values of 8
    assert macs(SelfAttention(8), (8, 5, 5)) == places * projections + places * places * (1 + 8)


def test_macs_of_the_published_generator() -> None:
    with torch.device("meta"):
        network = GlobalGenerator(3)
    assert macs(network, (3, 720, 720)) == pytest.approx(430e9, rel=0.01)


def test_speed_has_the_stock_generator_as_its_baseline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lipwright.cli.bench.render.STOCK_SIZE", 32)
    monkeypatch.setattr("lipwright.cli.bench.render.STOCK_NGF", 4)
    found = run(Job(tmp_path, "demo", 1, 1, None, preset="draft"))
    assert [m.step for m in found] == [
        "pix2pixHD global ngf 4 at 32, network",
        "draft full-face, draw",
        "draft full-face, training step of 2",
        "draft sewn, draw",
        "draft sewn, training step of 2",
    ]
    assert (found[1].gmacs, found[1].mparams) == pytest.approx((1.92, 4.43), abs=0.01)
    assert all(m.cpu_ms > 0 for m in found)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.file)
def test_every_row_differs_from_the_preset_by_what_it_says(row: Any) -> None:
    table = Table(changes={"size": "192"})
    expected = to_dict(preset("draft", row.mode)) | {"size": 192} | dict(row.changes)
    assert to_dict(table.config(row)) == expected


def test_rows_are_unique_and_cover_what_is_asked() -> None:
    assert len({row.file for row in ROWS}) == len(ROWS)
    switches = {key for row in ROWS for key in row.changes}
    assert {"edges", "attention", "mouth_discriminator", "temporal_inputs", "temporal_discriminator"} <= switches
    assert {row.mode for row in ROWS} == {"sewn", "full-face"}
    assert any(row.kind == "memory" for row in ROWS)


@pytest.mark.slow
def test_a_table_keeps_finished_rows_and_marks_the_others(subject: Subject, tmp_path: Path, capsys: Any) -> None:
    file = tmp_path / "table.json"
    wanted = ("memory", "sewn, temporal inputs")

    def made(*names: str) -> dict[str, Any]:
        table = Table(steps=1, changes=TINY, rows=chosen(names))
        return ablations.run([subject.path], table, "cpu", file, Silent())["subjects"][subject.path.name]["rows"]

    made("memory")
    kept = json.loads(file.read_text(encoding="utf-8"))["subjects"][subject.path.name]["rows"]
    kept["memory"]["mouth_psnr_db"] = -1.0  # so that a second run would be seen
    data = json.loads(file.read_text(encoding="utf-8"))
    data["subjects"][subject.path.name]["rows"] = kept
    file.write_text(json.dumps(data), encoding="utf-8")
    rows = made(*wanted)
    assert [name for name, row in rows.items() if row["status"] == "run"] == list(wanted)
    assert rows["memory"]["mouth_psnr_db"] == -1.0
    assert rows[wanted[1]]["steps"] == 1
    assert rows[wanted[1]]["machine"]["cores"] >= 1
    assert set(ablations.COLUMNS) <= set(rows[wanted[1]])
    pictures = {p.name for p in (tmp_path / "table.pictures" / subject.path.name).iterdir()}
    assert pictures == {f"{row.file}-{kind}.png" for row in chosen(wanted) for kind in ("sheet", "strip")}
    assert list((tmp_path / "table.training").rglob("*.checkpoint")) == []
    ablations.show(json.loads(file.read_text(encoding="utf-8")))
    shown = capsys.readouterr().out
    assert shown.count("not run") == len(ROWS) - 2


def test_other_settings_or_a_strange_file_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "table.json"
    file.write_text(json.dumps({**ablations._settings(Table(steps=1), "cpu"), "subjects": {}}), encoding="utf-8")
    with pytest.raises(ConfigError, match="another steps"):
        ablations.run([], Table(steps=2), "cpu", file, Silent())
    file.write_text("[1]", encoding="utf-8")
    with pytest.raises(ConfigError, match="is not a table"):
        ablations.run([], Table(steps=1), "cpu", file, Silent())
    assert lipwright(["bench", "render", str(tmp_path), "--ablations", "--json", str(file)]) == 2
