"""Several methods on one clip: what is best, what cannot be told apart, and the page."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from lipwright.core.errors import ConfigError
from lipwright.evaluate.comparison import Comparison, best, compare_methods, distance
from lipwright.evaluate.comparison_page import page
from lipwright.evaluate.options import Options
from lipwright.evaluate.result import Evaluation, Row
from lipwright.media.probe import probe

from .drawn import MarkerTracker, Talk, write


def row(value: float | None, better: str, interval: tuple[float, float] | None = None) -> Row:
    return Row("mouth.psnr", "label", "dB", better, value, 1.0, interval=interval)


@pytest.mark.parametrize(
    ("better", "values", "winners"),
    [
        ("higher", (1.0, 3.0, 2.0), ["b"]),
        ("lower", (1.0, 3.0, 2.0), ["a"]),
        ("one", (0.8, 1.1, 1.5), ["b"]),
        ("zero", (-2.0, 1.0, -1.0), ["b", "c"]),
        ("", (1.0, 2.0, 3.0), []),
        ("higher", (1.0, None, float("nan")), []),
        ("higher", (2.0, 2.0, 2.0), []),
    ],
)
def test_the_best_by_kind(better: str, values: tuple[float | None, ...], winners: list[str]) -> None:
    cells = {name: row(value, better) for name, value in zip("abc", values, strict=True)}
    assert best(cells["a"], cells) == winners


def test_distances_by_hand() -> None:
    assert distance(row(3.0, "higher")) == -3
    assert distance(row(0.75, "one")) == 0.25
    assert distance(row(0.75, "one"), 2.0) == 1
    assert distance(row(None, "lower")) is None


def made(**methods: Row) -> Comparison:
    found = {
        name: Evaluation(f"{name}.mp4", "real.mp4", (one,), (), {"name": "video"}) for name, one in methods.items()
    }
    return Comparison("real.mp4", found)


def test_the_page_marks_the_best_and_what_is_not_told_apart_from_it() -> None:
    text = page(
        made(
            good=row(30.0, "higher", (29, 31)), close=row(29.5, "higher", (28, 30.5)), bad=row(20.0, "higher", (19, 21))
        )
    )
    assert "<span class=best>30.00</span>" in text
    assert "29.50 ≈" in text
    assert "20.00 ≈" not in text
    assert "not measured" in text
    assert "LSE-C" in text
    assert "<script" not in text


def test_an_interval_over_the_ideal_is_not_told_apart() -> None:
    text = page(made(near=row(1.01, "one", (1.005, 1.02)), wide=row(1.3, "one", (0.9, 1.6))))
    assert "<span class=best>1.010</span>" in text
    assert "1.300 ≈" in text


def test_what_stands_in_for_lse_or_fid_is_called_by_its_own_name() -> None:
    stand_in = Row("full.frechet_pyramid", "Fréchet", "", "lower", 0.1, 0.0)
    sync = Row("lipmatch.confidence", "LipMatch", "", "higher", 0.2, 0.3)
    found = {n: Evaluation(n, "r", (stand_in, sync), (), {"name": "video"}) for n in "ab"}
    text = page(Comparison("r", found))
    assert "Fréchet↓" in text
    assert "LipMatch↑" in text
    assert "FID↓" not in text
    assert "Sync↑" not in text


@pytest.fixture(scope="module")
def comparison(talk: Talk, tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    folder = tmp_path_factory.mktemp("methods")
    n = len(talk.heights)
    frozen = write(folder / "frozen.mp4", np.full(n, 4.0), talk.noses, talk.sound)
    shorter = write(folder / "shorter.mp4", talk.heights[:92], talk.noses[:92], talk.sound[: 92 * 640])
    options = Options(make_tracker=MarkerTracker, film=True)
    return compare_methods({"frozen": frozen, "ours": shorter}, talk.path, options)


def test_methods_are_judged_alike_and_shown_in_step(comparison: Comparison, tmp_path: Path) -> None:
    assert list(comparison.methods) == ["frozen", "ours"]
    assert comparison.methods["ours"]["lips.correlation"].video == pytest.approx(1, abs=0.01)
    data = comparison.to_json()
    assert data["best"]["lips.correlation"] == ["ours"]
    assert data["real"]["lips.correlation"] == 1
    comparison.write_json(tmp_path / "c.json")
    assert json.loads((tmp_path / "c.json").read_text(encoding="utf-8"))["best"] == data["best"]
    (tmp_path / "film.mp4").write_bytes(comparison.film)
    info = probe(tmp_path / "film.mp4")
    assert info.video is not None
    assert info.video.width == 3 * (info.video.height - 24) * 192 // 144
    assert float(info.duration_s or 0) == pytest.approx(92 / 25, abs=0.05)
    comparison.write_html(tmp_path / "c.html")
    text = (tmp_path / "c.html").read_text(encoding="utf-8")
    assert "data:video/mp4;base64," in text
    assert "Side by side: real, frozen, ours" in text
    assert "http" not in text


def test_it_prints_the_papers_tables(comparison: Comparison) -> None:
    lines = str(comparison).splitlines()
    assert lines[0].split() == ["method", "FPS", "SSIM↑", "PSNR↑", "Sync", "D_lip↓"]
    assert lines[2].startswith("ours")
    assert lines[2].count("*") == 3


def test_one_video_is_no_comparison(talk: Talk) -> None:
    with pytest.raises(ConfigError, match="at least two"):
        compare_methods({"a": talk.path}, talk.path)
