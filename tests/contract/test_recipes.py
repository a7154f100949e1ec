"""Every recipe, built tiny on the presenter: trains, learns, saves, loads and speaks the same bits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lipwright.core.checkpoint import load_tensors
from lipwright.core.contracts import Conditions, MotionInfo, Renderer, check_pairing
from lipwright.core.errors import ConfigError, OutputError, PairingError, SubjectError
from lipwright.core.progress import Silent
from lipwright.motion.config import INSTANT
from lipwright.motion.model import CascadeMotion
from lipwright.motion.registry import MOTION_MODELS
from lipwright.motion.task import MotionTask
from lipwright.motion.window import SpeechWindow
from lipwright.recipes import base
from lipwright.recipes import pack as packing
from lipwright.recipes.crossmodal import crossmodal_data, heard, speech_window, spoken_lips
from lipwright.recipes.parts import motion_data, spread
from lipwright.recipes.train import train
from lipwright.render.crossmodal import config as crossmodal
from lipwright.render.crossmodal.config import CrossModalConfig
from lipwright.render.crossmodal.data import CrossModalData
from lipwright.render.crossmodal.renderer import CrossModalRenderer
from lipwright.render.crossmodal.task import CrossModalTask
from lipwright.render.neural_face import config as neural_face
from lipwright.render.neural_face.config import NeuralFaceConfig
from lipwright.render.oracle import config as oracle
from lipwright.render.oracle.config import OracleConfig
from lipwright.render.registry import RENDERERS
from lipwright.render.translation import config as translation
from lipwright.render.translation.config import TranslationConfig
from lipwright.render.translation.data import TranslationData
from lipwright.render.translation.renderer import TranslationRenderer
from lipwright.render.translation.task import TranslationTask
from lipwright.speech.features import FeatureReader
from lipwright.speech.source import array_source
from lipwright.subject.store import Subject
from lipwright.synthesis.speaker import Persona
from lipwright.train.loop import Budget
from lipwright.train.packed import train_packed

RECIPES = base.names()
SLOW = {"virtual-human": pytest.mark.slow}
"""Recipes of several stages."""
PAIRS = [pytest.param(name, mode, marks=SLOW.get(name, ())) for name in RECIPES for mode in base.find(name).modes]
TINY = TranslationConfig(size=64, ngf=8, n_downs=3, n_blocks=1, ndf=8, skips=True, batch=2, learning_rate=2e-3)

CROSS = CrossModalConfig(size=256, width=2, ndf=4, n_scales=1, expressions=1, learning_rate=2e-3)
SKETCH = TranslationConfig(
    mode="full-face",
    size=256,
    ngf=4,
    n_downs=4,
    n_blocks=1,
    ndf=4,
    n_scales=1,
    attention=False,
    mouth_discriminator=False,
)
FACE = NeuralFaceConfig(size=64, ngf=4, n_downs=5, ndf=4, n_scales=1, learning_rate=2e-3)
ORACLE = OracleConfig(mouth=SKETCH, head=SKETCH)


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """The renderers' presets narrow and at their smallest size; everything else as shipped."""
    for name in translation.PRESETS:
        monkeypatch.setitem(translation.PRESETS, name, TINY)
        monkeypatch.setitem(crossmodal.PRESETS, name, replace(CROSS, lips=4))
        monkeypatch.setitem(oracle.PRESETS, name, ORACLE)
        monkeypatch.setitem(neural_face.PRESETS, name, FACE)


def test_the_recipes_of_this_version() -> None:
    assert {"instant", "meta-talk", "news-anchor", "pose-adaptive", "virtual-human"} <= set(RECIPES)


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_describes_itself(name: str) -> None:
    recipe = base.find(name)
    assert recipe.name == name
    assert recipe.summary
    assert recipe.source
    assert recipe.presets
    assert recipe.modes
    assert recipe.renderer in RENDERERS
    assert 0 < recipe.motion_share <= 1
    for preset in recipe.presets:
        recipe.check(preset, recipe.modes[0])
    with pytest.raises(ConfigError, match=f"recipe '{name}' has no preset 'huge'; available: draft"):
        recipe.check("huge", recipe.modes[0])
    with pytest.raises(ConfigError, match=rf"recipe '{name}' has no mode 'upside-down'; available: {recipe.modes[0]}"):
        recipe.check(recipe.presets[0], "upside-down")


def test_an_unknown_recipe_lists_the_known_ones(subject: Subject, tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match="unknown recipe 'gan'; available: instant, meta-talk, news-anchor, pose-adaptive"
    ):
        train(subject, recipe="gan", out=tmp_path / "p")
    with pytest.raises(ConfigError, match="unknown device 'tpu'"):
        train(subject, device="tpu", out=tmp_path / "p")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", RECIPES)
def test_every_parameter_of_the_motion_model_learns(name: str, subject: Subject) -> None:
    recipe = base.find(name)
    task = MotionTask(recipe.motion, motion_data(subject, recipe.motion.heard), seed=3)
    before = {k: v.clone() for k, v in task.cascade.named_parameters()}
    losses: list[float] = []
    while len(losses) < 60 and not (len(losses) >= 8 and np.mean(losses[-3:]) < 0.9 * np.mean(losses[:2])):
        losses.append(task.step(len(losses))["loss"])
    without = [k for k, p in task.cascade.named_parameters() if p.grad is None or not torch.isfinite(p.grad).all()]
    assert without == []
    still = [k for k, p in task.cascade.named_parameters() if torch.equal(p, before[k])]
    assert still == []
    assert np.mean(losses[-3:]) < 0.9 * np.mean(losses[:2]), "it learns its own footage"


@pytest.mark.parametrize("mode", base.find("pose-adaptive").modes)
def test_every_parameter_of_the_translation_renderer_learns(mode: str, subject: Subject) -> None:
    config = replace(TINY, mode=mode, gan_start=0.0, gan_full=0.1)
    track = subject.track
    data = TranslationData.from_frames(
        subject.frames.read(0, 12),
        track.landmarks_px[:12],
        track.pose_rad[:12],
        config,
        np.arange(10),
        np.arange(10, 12),
    )
    task = TranslationTask(config, data, 0)
    task.budget_fraction(0.5)
    losses = [task.step(i) for i in range(30)]
    for part, module in task.modules().items():
        if part == "generator":
            continue  # the running average of the learner
        dead = [k for k, p in module.named_parameters() if p.grad is None or not torch.isfinite(p.grad).all()]
        assert dead == [], part
        assert any(p.grad.abs().sum() > 0 for p in module.parameters())
    pixels = [x["charbonnier"] if "charbonnier" in x else next(iter(x.values())) for x in losses]
    assert np.mean(pixels[-5:]) < np.mean(pixels[:3])


@pytest.fixture(scope="module")
def heads(subject: Subject) -> CrossModalData:
    """A second of the presenter as the cross-modal renderer learns from it."""
    few = Subject(subject.path, subject.info | {"splits": {"train": [0, 40], "validation": [43, 46]}})
    return crossmodal_data(few, CROSS, Silent())


def test_every_parameter_of_the_cross_modal_renderer_learns_its_own_footage(heads: CrossModalData) -> None:
    task = CrossModalTask(replace(CROSS, gan_start=0.0, gan_full=0.1), heads, None, 0)
    task.budget_fraction(0.3)
    for i in range(3):
        task.step(i)
    for part, module in task.modules().items():
        if part == "generator":
            continue  # the running average of the learner
        dead = [k for k, p in module.named_parameters() if p.grad is None or not torch.isfinite(p.grad).all()]
        assert dead == [], part
        assert any(p.grad.abs().sum() > 0 for p in module.parameters())
    alone = replace(CROSS, gan_weight=0.0, feature_weight=0.0, learning_rate=2e-2, mean_base=False, augmentation="none")
    task = CrossModalTask(alone, heads, None, 0)
    task.budget_fraction(0.3)
    losses = [task.step(i) for i in range(40)]
    for name in ("pixel", "mouth_pixel"):
        values = [x[name] for x in losses]
        assert np.mean(values[-5:]) < 0.8 * np.mean(values[:3]), name


def test_what_is_heard_in_training_is_what_is_heard_in_speaking(subject: Subject) -> None:
    """Windows of training frames are those that the persona's own motion model cuts out of the same speech."""
    model = speech_window(CROSS)
    learnt = heard(subject, CROSS)
    assert learnt.shape == (len(subject), CROSS.window, CROSS.k)
    assert np.abs(learnt[..., -1]).max() <= 1
    reader = FeatureReader(array_source(subject.samples), model.info.features)
    halo, count = model.info.halo, len(subject)
    held = Conditions(np.zeros((count, 3), np.float32), np.zeros((count, 8, 2), np.float32))
    spoken = model.predict(reader.read(-halo, count + 2 * halo), held)[halo:-halo]
    np.testing.assert_allclose(learnt[..., :-1], spoken[..., :-1], atol=1e-5)


def test_lips_are_as_tracked_in_training_and_as_speech_says_them_in_validation(subject: Subject) -> None:
    config = replace(CROSS, lips=4)
    with pytest.raises(ConfigError, match="need a motion model that says them"):
        spoken_lips(subject, config, None)
    motion = MotionTask(base.find("virtual-human").motion, motion_data(subject, INSTANT.heard)).model()
    lips = spoken_lips(subject, config, motion)
    assert lips is not None
    model, plain = speech_window(config, lips), heard(subject, CROSS)
    learnt = heard(subject, config, lips)
    n = config.speech_dim
    assert learnt.shape == (len(subject), config.window, config.k)
    np.testing.assert_array_equal(np.delete(learnt, np.s_[n : n + 4], 2), plain)
    halo, count = model.info.halo, len(subject)
    reader = FeatureReader(array_source(subject.samples), model.info.features)
    wide = motion.mean_conditions(count + 2 * halo)
    said = model.predict(reader.read(-halo, count + 2 * halo), wide)[halo:-halo, config.window // 2, n : n + 4]
    clip = motion_data(subject, ()).train[0]
    seen = lips.seen(clip.landmarks, clip.conditions)
    train, validation = subject.split("train"), subject.split("validation")
    here = learnt[:, config.window // 2, n : n + 4]
    np.testing.assert_allclose(here[train.start : train.stop], seen, atol=1e-5)
    np.testing.assert_allclose(here[validation.start : validation.stop], said[validation.start :], atol=1e-3)
    assert np.abs(here[train.start : train.stop] - said[train.start : train.stop]).mean() > 0.05


@pytest.fixture(scope="module")
def few(subject: Subject) -> Subject:
    """The presenter with four seconds to learn from: enough for every recipe, and quicker to cut out."""
    return Subject(subject.path, subject.info | {"splits": {"train": [0, 100], "validation": [110, 135]}})


@pytest.fixture(scope="session")
def spoken() -> np.ndarray:
    return (0.2 * np.sin(np.arange(8000) / 7) * np.sin(np.arange(8000) / 900)).astype(np.float32)


@pytest.mark.parametrize(("name", "mode"), PAIRS)
def test_trained_saved_loaded_and_spoken(
    name: str, mode: str, few: Subject, tmp_path: Path, spoken: np.ndarray
) -> None:
    recipe = base.find(name)
    made = train(few, out=tmp_path / "p", recipe=name, mode=mode, budget="3 steps", seed=1)
    assert [p.name for p in tmp_path.iterdir()] == ["p"], "no checkpoints are left beside it"
    again = Persona.load(tmp_path / "p")
    assert again.info == made.info
    assert (again.info["recipe"], again.info["mode"]) == (name, mode)
    assert "memory" in again.renderers, "the preview and baseline of every persona"
    own = again.renderer()
    assert isinstance(own, Renderer)
    assert RENDERERS.get(recipe.renderer)
    assert again.motion().info.produces == own.accepts
    _, description = load_tensors(tmp_path / "p" / "motion.safetensors")
    assert description["kind"] in MOTION_MODELS
    np.testing.assert_array_equal(made.speak(spoken).targets(), again.speak(spoken).targets())
    for kind in again.renderers:
        frames = [list(p.speak(spoken, renderer=kind, workers=n)) for p, n in ((made, 1), (again, 3))]
        assert len(frames[0]) == 13
        for a, b in zip(*frames, strict=True):
            np.testing.assert_array_equal(a.rgb8, b.rgb8)
    record = again.info["training"]["motion"]
    assert record["steps"] == 3
    assert np.isfinite(list(record["validation"].values())).all()


@pytest.mark.slow
def test_what_was_trained_elsewhere_is_told_the_same_lips(
    few: Subject, tmp_path: Path, spoken: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Packed with one motion model and spoken with another: components of the lips are of the footage alone."""
    monkeypatch.setattr(packing, "_MOTION_STEPS", 2)
    packed = packing.pack(few, tmp_path / "p.safetensors", recipe="virtual-human", preset="draft")
    train_packed(packed, tmp_path / "out", Budget(steps=2), "cpu")
    made = train(few, recipe="virtual-human", renderer=tmp_path / "out" / "renderer.safetensors", budget="4 steps")
    motion, renderer = made.motion(), made.renderer()
    assert isinstance(motion, SpeechWindow)
    assert isinstance(renderer, CrossModalRenderer)
    assert motion.lips is not None
    assert motion.channels == renderer.config.k
    known = MotionTask(base.find("virtual-human").motion, motion_data(few, INSTANT.heard)).model()
    told = spoken_lips(few, renderer.config, known)
    assert told is not None
    np.testing.assert_array_equal(motion.lips.shape.basis, told.shape.basis)
    assert len(list(made.speak(spoken))) == 13


def test_news_anchor_draws_whole_heads_coarse_to_fine_unless_told_otherwise(few: Subject, tmp_path: Path) -> None:
    made = train(few, recipe="news-anchor", out=tmp_path / "p", budget="2 steps")
    own = made.renderer()
    assert isinstance(own, TranslationRenderer)
    assert (made.info["mode"], own.config.mode) == ("full-face", "full-face")
    assert (own.config.generator, own.config.attention, own.config.edges) == ("local", False, True)
    motion = made.motion()
    assert isinstance(motion, CascadeMotion)
    assert (motion.config.network, motion.config.adversarial) == ("speech-tcn", 0.01)
    plain = train(few, recipe="news-anchor", mode="sewn", settings={"generator": "global"}, budget="1 steps")
    other = plain.renderer()
    assert isinstance(other, TranslationRenderer)
    assert (other.config.mode, other.config.generator) == ("sewn", "global")


def test_the_same_seed_trains_the_same_persona(few: Subject, tmp_path: Path) -> None:
    spoken = few.samples[80_000:112_000]
    a, b = (train(few, recipe="instant", out=tmp_path / n, budget="2 steps", seed=4) for n in "ab")
    c = train(few, recipe="instant", out=tmp_path / "c", budget="2 steps", seed=5)
    np.testing.assert_array_equal(a.speak(spoken).targets(), b.speak(spoken).targets())
    assert np.any(a.speak(spoken).targets() != c.speak(spoken).targets())


def test_parts_that_do_not_fit_are_refused_before_weights_load(
    persona_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(PairingError, match=r"'virtual' pairs .* produces visemes .* accepts landmarks"):
        check_pairing(MotionInfo("visemes", ("phones",)), "landmarks", "virtual")
    kind = type(Persona.load(persona_folder).renderer())
    monkeypatch.setattr(kind, "accepts", "expression")
    with pytest.raises(PairingError, match="accepts expression"):
        Persona.load(persona_folder)


def test_a_recipe_from_elsewhere_can_be_trained(
    subject: Subject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = replace(base.find("instant"), name="theirs", summary="x", source="elsewhere")
    monkeypatch.setitem(base.RECIPES._items, "theirs", other)
    assert "theirs" in base.names()
    assert train(subject, recipe="theirs", out=tmp_path / "p", budget="1 steps").info["recipe"] == "theirs"
    with pytest.raises(ConfigError, match="already registered"):
        base.RECIPES.add("instant", other)


def test_training_refuses_what_cannot_work(subject: Subject, tmp_path: Path) -> None:
    def changed(**info: Any) -> Subject:
        return Subject(subject.path, subject.info | info)

    with pytest.raises(SubjectError, match="leaves 40 frames with a face"):
        train(changed(splits={"train": [0, 40], "validation": [225, 250]}), out=tmp_path / "p")
    hidden = changed()
    track = subject.track
    confidence = np.where(np.arange(250) < 200, 0, track.confidence).astype(np.float32)
    vars(hidden)["track"] = replace(track, confidence=confidence)
    with pytest.raises(SubjectError, match=r"leaves \d+ frames with a face"):
        train(hidden, out=tmp_path / "p")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").touch()
    with pytest.raises(OutputError, match="other things in it"):
        train(subject, out=tmp_path / "mine")
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot write"):
        train(subject, out=tmp_path / "file" / "p", budget="1 steps")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "mine"]


def test_a_renderer_learns_from_all_of_long_footage() -> None:
    seen = np.concatenate([np.arange(0, 4000), np.arange(4100, 12_000)])
    assert np.histogram(spread(seen, 5000), 8)[0].min() > 500
    assert len(spread(seen, 5000)) == 5000
