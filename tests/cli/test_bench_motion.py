"""`lipwright bench motion`: what is measured, the paper's layout, and a table that goes on where it stopped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lipwright.cli import results
from lipwright.cli.bench import motion_tables
from lipwright.cli.bench.motion_figures import corpus_of
from lipwright.cli.main import run as lipwright
from lipwright.core.contracts import F32, Conditions
from lipwright.core.errors import ConfigError, SubjectError
from lipwright.motion.normalise import frobenius_scale, nose_centre
from lipwright.motion.scores import N_MOUTH
from lipwright.recipes.motion_table import fit as fitting
from lipwright.recipes.motion_table.corpus import Corpus, Recording, Test, of_recordings, of_subject
from lipwright.recipes.motion_table.fit import fit, held_out
from lipwright.recipes.motion_table.rows import ROWS, Training, chosen, mouth_only
from lipwright.recipes.motion_table.score import cross_scores, score, self_scores
from lipwright.recipes.motion_table.timing import inference
from lipwright.subject.store import Subject

TINY = Training(epochs=2, patience=1, width=0.05, changes={"batch": "2", "clip_frames": "32"})


def talking(frames: int, seed: int, person: int = 0, split: str = "train") -> Recording:
    """Noise whose loudness opens made-up lips and jaw; yaw moves the face; persons have wider mouths."""
    rng = np.random.default_rng(seed)
    loud = np.clip(np.convolve(rng.normal(size=frames + 20), np.hanning(9), "same")[10:-10], 0, None)
    samples = (0.1 * np.repeat(loud, 640) * rng.normal(size=frames * 640)).astype(np.float32)
    face = np.random.default_rng(5).normal(size=(68, 2)) * [40, 60] + 256
    face[48:68] = [256, 300] + np.random.default_rng(6).normal(size=(20, 2)) * [20 + 5 * person, 6]
    yaw = 0.3 * np.sin(np.arange(frames) / 23 + seed)
    points = np.repeat(face[None], frames, 0)
    points[:, [57, 65, 66, 67, *range(4, 13)], 1] += 4 * loud[:, None]
    points[:, :, 0] += 30 * yaw[:, None] * np.linspace(-1, 1, 68)
    pose = np.stack([0 * yaw, yaw, 0 * yaw], 1).astype(np.float32)
    track = points.astype(np.float32)
    rolled = np.roll(track, 40, axis=0)
    return Recording(
        track, pose, np.ones(frames, np.float32), samples, split, person, rolled, np.roll(pose, 40, axis=0), track
    )


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    parts = [("train", 0), ("train", 1), ("validation", 0), ("test", 1)]
    return of_recordings(lambda: [talking(160, k, who, split) for k, (split, who) in enumerate(parts)], "made up", "x")


def test_every_person_is_moved_to_the_same_mean(corpus: Corpus) -> None:
    means = [c.landmarks.mean(axis=0) for c in corpus.train]
    np.testing.assert_allclose(means[0], means[1], atol=1e-6)
    norms = frobenius_scale(talking(160, 0).landmarks_px)
    assert corpus.train[0].scale_px == pytest.approx(float(np.median(norms)), rel=1e-6)
    assert corpus.train_s == pytest.approx(12.8)
    assert corpus.shortened(6.4).train_s == pytest.approx(6.4)
    with pytest.raises(SubjectError, match="leave no stretch"):
        corpus.shortened(1)


def test_units_are_frobenius_norms_around_the_nose(corpus: Corpus) -> None:
    recording = talking(160, 0)
    points = recording.landmarks_px - nose_centre(recording.landmarks_px)[:, None]
    unit = points / np.sqrt((points**2).sum(axis=(1, 2)))[:, None, None]
    moved = corpus.train[0].landmarks[:, :N_MOUTH] - unit[:, 48:68]
    np.testing.assert_allclose(moved, np.broadcast_to(moved[:1], moved.shape), atol=1e-6)


def test_a_subject_is_split_by_time_with_gaps(subject: Subject) -> None:
    with pytest.raises(SubjectError, match="too short for a test of its own"):
        of_subject(subject)


class Says:
    """A model that says what it is told."""

    def __init__(self, points: F32) -> None:
        self.points = points

    def predict(self, features: Mapping[str, F32], conditions: Conditions) -> F32:
        return self.points


def test_scores_by_hand(corpus: Corpus) -> None:
    test = corpus.tests[0]
    truth = test.clip.landmarks
    off = truth.copy()
    off[:, :N_MOUTH, 0] += 0.02
    off[:, N_MOUTH:, 1] -= 0.01
    found = self_scores([off], [test])
    assert found["mouth_mse"] == pytest.approx(0.5 * 0.02**2, rel=1e-3)
    assert found["jaw_mse"] == pytest.approx(0.5 * 0.01**2, rel=1e-3)
    assert found["shape_mse"] == pytest.approx(0, abs=1e-10)
    assert found["inter_frame_mse"] == pytest.approx(0, abs=1e-10)
    assert found["energy"] == pytest.approx(1, rel=1e-3)
    assert found["aperture_correlation"] == pytest.approx(1, rel=1e-4)
    assert found["mouth_mse_yaw_20_90"] is None
    assert found["mouth_mse_yaw_0_10"] == pytest.approx(0.5 * 0.02**2, rel=1e-3)
    half = truth.copy()
    half[1::2, :N_MOUTH] += 0.02
    assert self_scores([half], [test])["inter_frame_mse"] == pytest.approx(0.02**2, rel=1e-3)
    mean = truth.mean(axis=0)
    all_of = score(Says(off), [test], mean)  # type: ignore[arg-type]
    assert all_of["lmd_px"] == pytest.approx(0.02 * float(test.scale_px.mean()), rel=1e-3)
    assert all_of["lmd_centred_to_mean_mouth"] == pytest.approx(0, abs=1e-4)


def test_crossing_tells_the_truth_from_the_template(corpus: Corpus) -> None:
    test = corpus.tests[0]
    assert test.cross is not None
    assert test.cross.truth is not None
    right = cross_scores(Says(test.cross.truth), [test])  # type: ignore[arg-type]
    assert right["cross_aperture_correlation"] == pytest.approx(1, rel=1e-4)
    assert right["cross_mouth_mse"] == 0
    leaks = cross_scores(Says(test.cross.template), [test])  # type: ignore[arg-type]
    assert leaks["cross_template_leak"] == pytest.approx(1, rel=1e-4)
    assert leaks["cross_aperture_correlation"] == pytest.approx(leaks["cross_real_leak"], abs=1e-6)
    assert cross_scores(Says(test.cross.truth), [replace(test, cross=None)]) == {}  # type: ignore[arg-type]
    assert isinstance(test, Test)


def test_a_row_stops_when_it_gets_no_better_and_keeps_its_best(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    told = iter([3.0, 1.0, 2.0, 2.0, 2.0, 2.0])
    seen: list[dict[str, np.ndarray]] = []

    def error(model: object, data: object) -> float:
        seen.append({k: v.clone() for k, v in model.cascade.state_dict().items()})  # type: ignore[attr-defined]
        return next(told)

    monkeypatch.setattr(fitting, "held_out", error)
    training = replace(TINY, epochs=10, patience=3)
    found = fit(training.config(ROWS[7]), corpus.data, 0, training)
    assert (found.epochs, found.best_epoch) == (5, 2)
    assert found.steps == 5 * (found.steps // 5)
    for key, value in found.model.cascade.state_dict().items():
        assert (value == seen[1][key]).all()
    assert any((seen[1][k] != seen[4][k]).any() for k in seen[1])


def test_every_row_trains_scores_and_is_timed(corpus: Corpus) -> None:
    for name in ("No cheek", "BiLSTM"):
        row = chosen([name])[0]
        found = fit(TINY.config(row), corpus.data, 1, TINY)
        assert np.isfinite(held_out(found.model, corpus.data))
        times = inference(found.model, frames=60, repeats=1)
        assert {"infer_s", "infer_cpu_s"} <= set(times)
        assert ("infer_sliding_s" in times) == (name == "BiLSTM")
    assert [row.name for row in ROWS if mouth_only(row)] == [row.name for row in ROWS[5:]]
    with pytest.raises(ConfigError, match="unknown row 'gru'; available: Ours"):
        chosen(["gru"])
    assert Training(width=0.5).config(chosen(["LSTM"])[0]).width == 25
    assert Training(width=0.5).config(chosen(["BiLSTM"])[0]).width == 128


@pytest.fixture
def tracks(tmp_path: Path) -> Path:
    """A set of tracks as `lipwright.presenter.tracks` writes it."""
    from lipwright.core.files import write_json
    from lipwright.media.audio import write_wav
    from lipwright.presenter.scene import save_phones
    from lipwright.presenter.tracks import SCHEMA, _compact

    folder, clips = tmp_path / "made-up", []
    folder.mkdir()
    for k, split in enumerate(("train", "train", "validation", "test")):
        r, name = talking(128, k, k % 2, split), f"{k:04d}"
        assert r.template_px is not None
        points = {"landmarks": r.landmarks_px, "cross_landmarks": r.landmarks_px, "template_landmarks": r.template_px}
        np.savez(
            folder / f"{name}.npz",
            **{key: _compact(p) for key, p in points.items()},
            pose_rad=r.pose_rad,
            cross_pose_rad=np.roll(r.pose_rad, 40, axis=0),
        )
        write_wav(folder / f"{name}.wav", r.samples)
        save_phones(folder / f"{name}_phones.json", [], "", "none")
        clips.append({"name": name, "person": k % 2, "voice": "none", "split": split})
    write_json(folder / "set.json", {"schema": SCHEMA, "asked": {"minutes": 4}, "clips": clips})
    return folder


def test_the_table_goes_on_where_it_stopped(
    tracks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("lipwright.recipes.motion_table.timing.FIVE_MINUTES", 50)
    monkeypatch.setattr("lipwright.recipes.motion_table.timing.inference.__defaults__", (50, 1, True))
    file = tmp_path / "motion.json"
    options = ["--epochs", "1", "--width", "0.05", "--set", "batch=4", "--json", str(file)]
    rows = ["--row", "Ours", "--row", "LSTM"]
    assert lipwright(["bench", "motion", str(tracks), "--seeds", "1", *options, *rows]) == 0
    first = json.loads(file.read_text())
    runs = first["data"]["subjects"]["made-up"]["runs"]
    assert set(runs) == {"Ours", "LSTM"}
    assert runs["Ours"]["0"]["mouth_mse"] > 0
    assert first["tables"][0]["rows"][1][2] is None, "the LSTM says no jaw of its own"
    assert first["tables"][1]["rows"][1][2] == pytest.approx(12.94 / 3.628)
    loaded = results.load(tmp_path)["motion"]
    assert "lipwright bench motion made-up --seeds 1" in loaded["command"]
    assert file.with_suffix(".md").read_text().startswith("```bash")
    assert file.with_suffix(".png").stat().st_size > 5000
    assert (tmp_path / "motion.pictures" / "made-up" / "fig3c-three-jaws.png").is_file()
    assert (tmp_path / "motion.models" / "made-up" / "lstm-0.safetensors").is_file()

    def never(*args: object) -> None:
        raise AssertionError("a finished run was trained again")

    monkeypatch.setattr("lipwright.recipes.motion_table.fit.fit", never)
    assert lipwright(["bench", "motion", str(tracks), "--seeds", "1", *options, *rows]) == 0
    assert json.loads(file.read_text())["data"]["subjects"] == first["data"]["subjects"]
    capsys.readouterr()
    assert lipwright(["bench", "motion", str(tracks), *options, "--patience", "3"]) == 2
    assert "was made with another patience (12, asked 3); choose another file" in capsys.readouterr().err
    assert lipwright(["bench", "motion", "--json", str(file)]) == 2
    assert "needs subjects and --json FILE" in capsys.readouterr().err
    assert corpus_of(tracks).name == "made-up"


def test_an_order_is_decided_beyond_its_deviations() -> None:
    def runs(*values: float) -> dict[str, dict[str, float]]:
        return {str(k): {"mouth_mse": v} for k, v in enumerate(values)}

    given = {"a": runs(1.0, 1.1), "b": runs(2.0, 2.1), "c": runs(2.0, 2.3)}
    # b - a: 1.0 over sqrt(0.005 / 2 + 0.005 / 2) = 0.0707; c - b: 0.1 over sqrt(0.0025 + 0.0225) = 0.158
    found = motion_tables.order(given, ("a", "b", "c"))
    assert [(x, y, decided) for x, y, _, decided in found] == [("a", "b", True), ("b", "c", False)]
    assert found[0][2] == pytest.approx(14.14, abs=0.01)
    assert motion_tables.order({"a": runs(1.0)}, ("a", "b")) == []


def test_a_discriminator_is_in_the_epoch_that_is_kept(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    """Patience and choice begin when it joins, or an adversarial row would be its plain one again."""
    errors = iter([1.0, 2.0, 5.0, 3.0, 4.0, 4.0])
    monkeypatch.setattr(fitting, "held_out", lambda model, data: next(errors))
    training = replace(TINY, epochs=8, changes={**TINY.changes, "alone": "0.25"})
    row = chosen(["News anchor"])[0]
    found = fit(training.config(row), corpus.data, 0, training)
    assert (found.best_epoch, found.epochs) == (4, 5)
