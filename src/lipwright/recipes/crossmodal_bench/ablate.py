"""Runs rows one by one: each becomes facts and pictures, or the reason why it was not run."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from lipwright.core import weights
from lipwright.core.contracts import LANDMARKS, MotionModel
from lipwright.core.errors import CheckpointError, DependencyError, FootageError, SpeechError
from lipwright.evaluate.heads import head_tests
from lipwright.evaluate.rendered import held_out
from lipwright.evaluate.speakers import PersonaSpeaker
from lipwright.face.smooth import runs
from lipwright.recipes.base import find
from lipwright.recipes.crossmodal_bench import strip
from lipwright.recipes.crossmodal_bench.artefacts import artefacts
from lipwright.recipes.crossmodal_bench.comparison import compared, persona_of
from lipwright.recipes.crossmodal_bench.control import random_wav2vec2
from lipwright.recipes.crossmodal_bench.limits import by_yaw, sticking_scores
from lipwright.recipes.crossmodal_bench.network import drawn, picture_scores, sheet, speed
from lipwright.recipes.crossmodal_bench.oracles import oracle_scores
from lipwright.recipes.crossmodal_bench.rows import OURS, ROWS, Row, Table
from lipwright.recipes.crossmodal_bench.workshop import Workshop
from lipwright.recipes.parts import fit_translation, train_motion, translation_data
from lipwright.recipes.row import Made, by_name
from lipwright.render.crossmodal.renderer import CrossModalRenderer
from lipwright.render.oracle.quality import drawing_of
from lipwright.render.translation.config import changed_preset
from lipwright.subject.store import Subject
from lipwright.train.run import Run

TESTED = 150
"""Held-out frames in a row, at most, in which lips are read."""
_ABSENT = (CheckpointError, DependencyError, FootageError, SpeechError)
"""Weights or an engine that nobody has brought; a drawn video in which the tracker finds no face."""
_EXPORTED = ("ours", "decoders", "backbone")
"""Groups in which the network itself differs: there the exported form is timed as well."""
_NO_FOOTAGE = "needs footage that no training has seen: --footage, --audio and --picture"
_NO_WAV2LIP = (
    "needs Wav2Lip's weights, which nobody may redistribute; bring them with: lipwright models add wav2lip FILE"
)


def ablate(subject: Subject, table: Table, run: Run, done: Iterable[str] = ()) -> Iterator[Made]:
    """The rows of a table that are not `done` yet, one by one, in the table's order."""
    shop, finished = Workshop(subject, table, run), set(done)
    for row in table.rows:
        if row.name not in finished:
            try:
                made = BUILDERS[row.kind](row, shop)
            except _ABSENT as error:
                made = Made(row, {}, reason=str(error))
            yield made


def _renderer(row: Row, shop: Workshop) -> Made:
    renderer, facts = shop.renderer(row)
    plan = shop.table.plan(row)
    data = shop.data(plan.config)
    found = drawn(renderer, data)
    scores = picture_scores(found, data)
    start, stop, other = _stretches(shop.subject)
    said = shop.heard(plan.config)
    heads, others = (shop.subject.track[t : t + stop - start] for t in (start, other))
    silent = strip.silence(shop.window(plan.config), stop - start)
    tests = head_tests(renderer, heads, others, said[start:stop], silent)
    facts = {
        "changes": dict(row.changes),
        **facts,
        **scores,
        **tests.facts(),
        **speed(renderer, data, row.group in _EXPORTED),
    }
    return Made(row, facts, {"sheet": sheet(found)})


def _stretches(subject: Subject) -> tuple[int, int, int]:
    """(start, stop) of held-out frames in a row, and the start of as many training frames."""
    start, stop = held_out(subject)
    train = subject.split("train")
    first, last = max(runs(subject.track.good[train.start : train.stop]), key=lambda r: r[1] - r[0])
    count = min(stop - start, TESTED, last - first)
    return start, start + count, train.start + first


def _random(row: Row, shop: Workshop) -> Made:
    with random_wav2vec2(shop.run.work / "random-models", shop.table.seed):
        shop.forget_heard()
        made = _renderer(row, shop)
    shop.forget_heard()
    return made


def _oracle(row: Row, shop: Workshop) -> Made:
    plan = shop.table.plan(row)
    oracle, facts = shop.oracle(plan)
    data = shop.oracle_data(plan)
    scores, picture = oracle_scores(drawing_of(oracle, data), data)
    return Made(row, {"changes": dict(row.changes), **facts, **scores}, {"sheet": picture})


def _ours(shop: Workshop) -> tuple[CrossModalRenderer, dict[str, Any]]:
    return shop.renderer(by_name([OURS], ROWS)[0])


def _artefacts(row: Row, shop: Workshop) -> Made:
    plan = shop.table.plan(row)
    if not plan.synthetic:
        return Made(row, {}, reason="these settings use no oracle")
    renderer, facts = _ours(shop)
    drawer, about = shop.drawing(plan)
    found = artefacts(renderer, drawer.draw, shop.data(plan.config), shop.oracle_data(plan))
    if not found:
        return Made(row, {}, reason="no held-out mouth was seen in another pose while training; film longer")
    about = {"drawn_by": drawer.name, "oracle_steps": about.get("steps")}
    return Made(row, {**facts, **about, "bins": found})


def _limits(row: Row, shop: Workshop) -> Made:
    renderer, facts = _ours(shop)
    plan = shop.table.plan(row)
    data = shop.data(plan.config)
    found = drawn(renderer, data, count=10**6)
    start, stop, _ = _stretches(shop.subject)
    said = shop.heard(plan.config)[start:stop]
    # Places of `data` are frames of the subject in order, so the stretch's own pictures are found by frame.
    frames = np.flatnonzero((_frames_of(shop) >= start) & (_frames_of(shop) < stop))
    stuck: dict[str, Any] = {}
    if len(frames) == stop - start:
        stuck = sticking_scores(renderer, shop.subject.track[start:stop], said, [data.head[int(i)] for i in frames])
    return Made(row, {**facts, "bins": by_yaw(found, data.pose_rad[found.places, 1]), "sticking": stuck})


def _frames_of(shop: Workshop) -> np.ndarray:
    from lipwright.recipes.crossmodal import chosen_frames

    return np.concatenate(chosen_frames(shop.subject))


def _strip(row: Row, shop: Workshop) -> Made:
    from lipwright.speech.tts import synthesise
    from lipwright.synthesis.voice import voice_of_samples

    renderer, facts = _ours(shop)
    spoken = synthesise(strip.TEXT)
    if spoken.phones is None:
        return Made(row, {}, reason="the speech engine does not say when its phones sound")
    voice = voice_of_samples(spoken.samples, spoken.sample_rate)
    start, stop, _ = _stretches(shop.subject)
    model = shop.window(renderer.config)
    picture, count = strip.we_strip(renderer, model, shop.subject.track[start:stop], voice.source, spoken.phones)
    return Made(row, {**facts, "text": strip.TEXT, "mouths": count}, {"strip": picture})


def _compare(row: Row, shop: Workshop, mode: str = "sewn") -> Made:
    reported = shop.table.reported
    if reported is None:
        return Made(row, {}, reason=_NO_FOOTAGE)
    trained, facts = _ours(shop)
    renderer = CrossModalRenderer(trained.network, trained.geometry, mode, shop.run.device, trained.crisp)
    window = shop.window(renderer.config)
    motions: dict[str, MotionModel] = {window.info.produces: window}
    persona = persona_of(shop.subject, motions, "crossmodal", renderer, mode)
    return Made(row, {**facts, "protocols": compared(PersonaSpeaker(persona), reported, shop.run.work, row.file)})


def _compare_landmarks(row: Row, shop: Workshop) -> Made:
    """Speech to landmarks, landmarks to the whole face: what NVP with pix2pix was, with our own parts."""
    reported = shop.table.reported
    if reported is None:
        return Made(row, {}, reason=_NO_FOOTAGE)
    run = replace(shop.run, work=shop.run.work / row.file)
    motion, moved = train_motion(shop.subject, find("pose-adaptive"), shop.table.budget, run)
    plan = shop.table.plan(row)
    config = changed_preset(shop.table.preset, "full-face", {"size": str(plan.config.size), "residual": "0"})
    data = translation_data(shop.subject, config, run.progress)
    renderer, record = fit_translation(config, data, shop.table.budget, run)
    persona = persona_of(shop.subject, {LANDMARKS: motion}, "translation", renderer, "full-face")
    facts = {
        "steps": record.steps,
        "train_s": round(record.seconds, 1),
        "motion_steps": moved.steps,
        "motion_s": round(moved.seconds, 1),
    }
    found = compared(PersonaSpeaker(persona), reported, shop.run.work, row.file)
    shutil.rmtree(run.work, ignore_errors=True)  # checkpoints of what is now measured
    return Made(row, {**facts, "protocols": found})


def _wav2lip(row: Row, shop: Workshop) -> Made:
    path, reported = weights.find("wav2lip"), shop.table.reported
    if path is None or reported is None:
        return Made(row, {}, reason=_NO_WAV2LIP if path is None else _NO_FOOTAGE)
    from lipwright.evaluate.wav2lip import Wav2LipSpeaker
    from lipwright.render.teacher.networks import load_generator

    found = compared(Wav2LipSpeaker(load_generator(path)), reported, shop.run.work, row.file)
    return Made(row, {"protocols": found})


BUILDERS: dict[str, Callable[[Row, Workshop], Made]] = {
    "renderer": _renderer,
    "random wav2vec2": _random,
    "oracle": _oracle,
    "artefacts": _artefacts,
    "limits": _limits,
    "strip": _strip,
    "compare": _compare,
    "compare full-face": partial(_compare, mode="full-face"),
    "compare landmarks": _compare_landmarks,
    "compare wav2lip": _wav2lip,
}
"""From a row to what was made of it."""
