"""`lipwright bench meta-talk` on the command line, and its tables."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lipwright.cli import results
from lipwright.cli.bench import meta_talk, system_rows
from lipwright.cli.bench.meta_talk_tables import PRINTED, of_meta_talk, tables
from lipwright.cli.bench.system_rows import NOT_ASKED
from lipwright.cli.main import run as lipwright
from lipwright.core.errors import ConfigError
from lipwright.core.progress import Silent
from lipwright.recipes.meta_talk_bench.rows import ROWS, Table
from lipwright.recipes.meta_talk_bench.run import shortened
from lipwright.recipes.meta_talk_bench.skin import skin_detail
from lipwright.recipes.row import Reported, by_name
from lipwright.render.neural_face import config as neural_face
from lipwright.subject.store import Subject
from lipwright.train.loop import Budget

MACHINE = {"lipwright": "0.1.0", "commit": "abc", "date": "2026-01-01", "cores": 2, "processor": "P", "system": "S"}


def done(group: str, ssim: float, **cells: Any) -> dict[str, Any]:
    protocols = {
        "self": {"lse_d": None, "ssim": ssim, "lipmatch": 2.5, **cells, "real": {"ssim": 1.0}},
        "cross": {"lse_d": None, "template_leak": 0.1, "real": {}},
    }
    return {"status": "run", "group": group, "kind": "trained", "seed": 0, "machine": MACHINE, "protocols": protocols}


def found() -> dict[str, Any]:
    """A table as a run leaves it."""
    rows = {
        "ours": done("systems", 0.99, seam=1.1),
        "AudioDVP": done("systems", 0.95),
        "own pairs only": done("pairs", 0.98),
        "ATVG": {"status": "not run", "reason": "no code of it here"},
    }
    table = system_rows.asked(meta_talk.kind(), None, 5, None, 0, None, ["batch=1"])
    return {
        **system_rows.settings_of(meta_talk.NAME, table, "cpu"),
        "subjects": {"a.subject": {"source": "x", "rows": rows}},
    }


def test_tables_have_the_papers_cells_first_and_say_what_was_not_run() -> None:
    made = {one["title"]: one for one in tables(found())}
    assert list(made) == [
        "systems, self",
        "systems, cross",
        "what speech to expression learnt from, self",
        "what speech to expression learnt from, cross",
        "not run",
        "as the paper printed it, LSE-D / LSE-C / FID / SSIM",
    ]
    systems = made["systems, self"]
    assert systems["columns"][:5] == ["row", "LSE-D", "LSE-C", "FID", "SSIM, full frame"]
    assert systems["rows"][0][:5] == ["ours", "not run", "not run", "not run", 0.99]
    assert [row[0] for row in systems["rows"]] == ["ours", "AudioDVP", "*real video*"]
    assert "seam" in systems["columns"], "beside the paper's cells"
    assert [row[0] for row in made["what speech to expression learnt from, self"]["rows"]][:2] == [
        "ours",
        "own pairs only",
    ]
    assert made["not run"]["rows"] == [["ATVG", "no code of it here"]]
    few = found()
    few["subjects"]["a.subject"]["rows"]["ATVG"]["reason"] = NOT_ASKED
    assert [one["title"] for one in tables(few)] == list(made)[:-1], "the paper's table stands beside its own rows"


def test_the_papers_table_is_whole() -> None:
    """Seven characters, five methods, four figures a cell; the mean SSIM of each method is the specification's."""
    cells = np.array([[[float(v) for v in cell.split("/")] for cell in row] for row in PRINTED.values()])
    assert cells.shape == (7, 5, 4)
    np.testing.assert_allclose(cells[..., 3].mean(0), [0.543, 0.616, 0.940, 0.552, 0.985], atol=6e-4)
    np.testing.assert_allclose(cells[..., 0].mean(0), [10.27, 6.77, 11.96, 11.98, 9.24], atol=6e-3)


def test_the_report_knows_the_table(tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text(json.dumps(found()))
    assert "bench meta-talk a.subject --preset draft --steps 5" in of_meta_talk(found())["command"]
    assert "t" in results.load(tmp_path)
    with pytest.raises(ValueError, match="no row was run"):
        of_meta_talk({**found(), "subjects": {}})


def test_rows_are_what_they_say() -> None:
    table = Table()
    ours, paper = (table.plan(row) for row in by_name(["ours", "AudioDVP"], ROWS))
    assert (ours.renderer.input_channels, paper.renderer.input_channels) == (28, 21)
    assert (paper.expression.network, paper.expression.feature, paper.pairs.teacher) == ("linear", "mfcc12", "none")
    assert (paper.renderer.gan, paper.renderer.pixel_weight, paper.renderer.room) == ("vanilla", 100.0, 2.0)
    assert paper.renderer.ngf == ours.renderer.ngf, "draft compares methods, not widths"
    published = Table(preset="broadcast").plan(by_name(["AudioDVP"], ROWS)[0]).renderer
    assert (published.ngf, published.batch, published.size) == (64, 16, 256)
    assert table.plan(by_name(["pseudo pairs only"], ROWS)[0]).expression.own_share == 0
    assert table.plan(by_name(["teacher without video"], ROWS)[0]).pairs.teacher == "direct"
    assert len({row.name for row in ROWS}) == len(ROWS)
    with pytest.raises(ConfigError, match="unknown row 'x'"):
        by_name(["x"], ROWS)


def test_less_footage_is_the_end_of_it(subject: Subject) -> None:
    short = shortened(subject, 2.0)
    assert short is not None
    whole = subject.split("train")
    assert (short.split("train").start, short.split("train").stop) == (whole.stop - 50, whole.stop)
    assert short.split("validation") == subject.split("validation")
    assert shortened(subject, 600.0) is None
    assert shortened(subject, 0.0) is subject


def test_skin_detail_is_of_skin_alone() -> None:
    """A softer cheek lowers it, a softer mouth does not."""
    rng = np.random.default_rng(0)
    points = np.zeros((68, 2), np.float32)
    angle = np.linspace(np.pi, 0, 17)
    points[:17] = np.stack([100 + 60 * np.cos(angle), 60 + 70 * np.sin(angle)], 1)
    points[[31, 33, 35]] = [[90, 75], [100, 78], [110, 75]]
    ring = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    points[48:] = np.stack([100 + 18 * np.cos(ring), 100 + 8 * np.sin(ring)], 1)
    real = rng.integers(0, 255, (160, 200, 3)).astype(np.uint8)
    lips, cheeks = real.copy(), real.copy()
    lips[94:107, 84:117] = 128
    cheeks[:, :100] = 128
    detail = [skin_detail([picture], [real], points[None]) for picture in (real, lips, cheeks)]
    assert detail[0] == 1
    assert detail[1] == 1
    assert 0.3 < detail[2] < 0.7


def test_without_footage_every_row_says_why(subject: Subject, tmp_path: Path) -> None:
    table = replace(Table(), budget=Budget(steps=1))
    made = meta_talk.run([subject.path], table, "cpu", tmp_path / "t.json", Silent())
    rows = made["subjects"][subject.path.name]["rows"]
    assert set(rows) == {row.name for row in ROWS}
    assert all(row["status"] == "not run" and row["reason"] for row in rows.values())
    assert "--footage" in rows["ours"]["reason"]
    assert "no code" in rows["ATVG"]["reason"]
    with pytest.raises(ConfigError, match="another preset"):
        meta_talk.run([subject.path], replace(table, preset="standard"), "cpu", tmp_path / "t.json", Silent())


def test_wrong_words_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, said in (
        (["bench", "meta-talk", "a.subject"], "needs subjects and --json FILE"),
        (["bench", "meta-talk", "--row", "x"], "unknown row 'x'"),
        (["bench", "meta-talk", "--set", "teacher=nobody"], "unknown teacher 'nobody'"),
        (["bench", "meta-talk", "--footage", "f.mp4"], "all three"),
    ):
        assert lipwright(arguments) == 2
        assert said in capsys.readouterr().err


@pytest.mark.slow
def test_a_row_is_trained_and_measured(
    subject: Subject, presenter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny = replace(neural_face.PRESETS["draft"], size=64, ngf=4, n_downs=5, ndf=4)
    monkeypatch.setitem(neural_face.PRESETS, "draft", tiny)
    reported = Reported(presenter, (10, 13), (0, 3))
    names = ("ours", "AudioDVP", "pseudo pairs only")
    table = Table(budget=Budget(steps=2), rows=by_name(names, ROWS), reported=reported)
    made = meta_talk.run([subject.path], table, "cpu", tmp_path / "t.json", Silent())
    rows = made["subjects"][subject.path.name]["rows"]
    parts = sorted((tmp_path / "t.training" / subject.path.name).glob("*.safetensors"))
    # "pseudo pairs only" draws as ours does
    assert [part.name.partition("-")[0] for part in parts] == ["motion"] + ["renderer"] * 2 + ["speech"] * 3
    for name in names:
        assert rows[name]["status"] == "run", rows[name]
        assert 0 < rows[name]["protocols"]["self"]["skin_detail"] < 2
        assert rows[name]["renderer"]["steps"] == 2
        assert (tmp_path / "t.training" / subject.path.name / f"{name.replace(' ', '-')}-self.mp4").is_file()
    assert "systems, self" in {one["title"] for one in tables(made)}
