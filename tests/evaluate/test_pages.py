"""Films, speed rows, the papers' sheet, worst seconds, and how pages look in a browser."""

from __future__ import annotations

import re
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from lipwright.core.ibug import MOUTH_JAW
from lipwright.evaluate.film import film
from lipwright.evaluate.papersheet import SIDE, facial_map
from lipwright.evaluate.shown import worst_seconds
from lipwright.evaluate.speed import Stopwatch
from lipwright.evaluate.video import evaluate
from lipwright.media.probe import probe
from lipwright.media.video import VideoReader

from .drawn import MarkerTracker, Talk
from .test_mouths_and_match import landmarks

CHROMIUM = next((p for p in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if p), None)


def test_a_film_shows_all_in_step_with_sound(tmp_path: Path) -> None:
    frames = [np.full((64, 96, 3), 10 * t, np.uint8) for t in range(20)]
    other = [255 - frame for frame in frames]
    with film(["one", "two"], Fraction(25), (96, 64), np.zeros(12_800, np.float32)) as made:
        passed = list(zip(made.tap(0, frames), made.tap(1, other), strict=True))
    assert all(a is b for (a, _), b in zip(passed, frames, strict=True))
    (tmp_path / "f.mp4").write_bytes(made.mp4)
    info = probe(tmp_path / "f.mp4")
    assert info.audio is not None
    with VideoReader(tmp_path / "f.mp4") as reader:
        shown = [frame.rgb8 for frame in reader]
    assert len(shown) == 20
    assert shown[0].shape == (64 + 24, 192, 3)
    for t in (0, 7, 19):
        assert shown[t][60, 48].mean() == pytest.approx(10 * t, abs=6)
        assert shown[t][60, 144].mean() == pytest.approx(255 - 10 * t, abs=6)
    assert shown[0][:24].min() < 90  # the names
    assert shown[0][2].min() > 240


def test_a_broken_film_raises_what_broke_it() -> None:
    def breaks() -> None:
        with film(["one"], Fraction(25), (64, 64), np.zeros(0, np.float32)) as made:
            next(iter(made.tap(0, [np.zeros((64, 64, 3), np.uint8)])))
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        breaks()


def test_speed_rows_by_hand() -> None:
    watch = Stopwatch(done_s=[0.5, 0.6, 0.7, 0.9])
    rows = {row.key: row.video for row in watch.rows(2.0, {"decode": 5, "motion": 2, "render": 6, "compose": 2})}
    assert rows["speed.fps"] == 2
    assert rows["speed.fps_no_io"] == 100
    assert rows["speed.first_frame"] == 0.5
    assert rows["speed.latency_p50"] == pytest.approx(100)
    assert rows["speed.latency_p99"] == pytest.approx(198)
    assert Stopwatch(done_s=[0.5]).rows(1.0, {}) == []


def test_a_stopwatch_counts_from_the_start() -> None:
    watch = Stopwatch()
    watch.start("speak", 2)
    watch.update(1)
    watch.update(2)
    watch.finish()
    assert 0 <= watch.done_s[0] <= watch.done_s[1] < 60


def test_the_facial_map_shows_the_wanted_mouth_and_nothing_of_the_templates() -> None:
    [points] = landmarks(1, np.array([[150.0, 150.0]]))
    template = np.full((300, 300, 3), 128, np.uint8)
    wanted = points[MOUTH_JAW].copy()
    lower = wanted + np.float32([0, 6])
    one, two = facial_map(template, points, wanted), facial_map(template, points, lower)
    assert one.shape == (SIDE, SIDE, 3)
    assert one.max() == 255
    assert not np.array_equal(one, two)
    other_mouth = points.copy()
    other_mouth[48:, 1] += 4  # the template's own mouth opens: within the hull nothing may change
    same = facial_map(template, other_mouth, wanted)
    np.testing.assert_array_equal(one, same)


def test_worst_seconds_come_first() -> None:
    psnr = [*[40.0] * 25, *[20.0] * 24, 10.0, *[30.0] * 25, *[50.0] * 5]
    found = worst_seconds(psnr, 25.0)
    assert [t for _, t in found] == [49, 50, 0]
    assert found[0][0] == pytest.approx(19.6)


@pytest.fixture(scope="module")
def written(talk: Talk, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("page") / "page.html"
    evaluate(talk.path, talk.path, make_tracker=MarkerTracker, film=True).write_html(target)
    return target


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here; install chromium to see how pages look")
@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 390])
def test_a_page_fits_its_window_and_is_drawn(width: int, written: Path, tmp_path: Path) -> None:
    probe_page = tmp_path / "probe.html"
    measure = "<script>addEventListener('load',()=>document.title=`${document.documentElement.scrollWidth}`)</script>"
    probe_page.write_text(written.read_text(encoding="utf-8") + measure, encoding="utf-8")
    dumped = browse(probe_page, width, "--dump-dom").stdout
    title = re.search(r"<title>(\d+)</title>", dumped)
    assert title is not None
    assert int(title[1]) <= max(width, 500)  # no window is narrower, but its picture may be
    browse(written, width, f"--screenshot={tmp_path / 'shot.png'}")
    shot = cv2.imread(str(tmp_path / "shot.png"))
    assert shot.shape[1] == width
    assert shot.min() < 60
    assert (shot.reshape(-1, 3).std(axis=1) > 20).mean() > 0.003  # sheets and curves
    assert (shot[:, -4:] > 240).mean() > 0.95  # nothing runs out to the right


def browse(page: Path, width: int, wish: str) -> subprocess.CompletedProcess[str]:
    assert CHROMIUM is not None
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--virtual-time-budget=3000"]
    profile = f"--user-data-dir={page.parent / 'profile'}"
    return subprocess.run(
        [CHROMIUM, *options, profile, f"--window-size={width},6000", wish, page.as_uri()],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
