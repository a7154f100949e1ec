from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lipwright.core.contracts import F32, Conditions
from lipwright.core.errors import CheckpointError, ConfigError, ShapeError, SubjectError
from lipwright.core.progress import Silent
from lipwright.motion.config import AugmentConfig
from lipwright.motion.expression_model import (
    AUDIODVP,
    EXPRESSION_NETWORKS,
    ExpressionConfig,
    ExpressionMotion,
    build,
    halo_of,
)
from lipwright.motion.expression_pairs import OWN, PSEUDO, ExpressionPairs, joined, of_stretch
from lipwright.motion.expression_task import ExpressionTask, divided, lip_scores
from lipwright.motion.registry import MOTION_MODELS
from lipwright.motion.speech_expression import SharedExpression, SpeechExpression, Windowed
from lipwright.motion.streaming import MotionStream
from lipwright.speech.features import SPEECH_FEATURES
from lipwright.train.loop import Budget
from lipwright.train.run import Run
from lipwright.train.speech_expression import fit_expression

SMALL = {
    "shared-cnn": ExpressionConfig(width=2, clip_frames=16, batch=4, augment=AugmentConfig()),
    "window-cnn": ExpressionConfig(network="window-cnn", width=2, clip_frames=8, batch=2, augment=AugmentConfig()),
    "linear": replace(AUDIODVP, clip_frames=16, batch=4, learning_rate=1e-2),
}
LIPS = np.random.default_rng(1).normal(0, 0.1, (3, 20, 3)).astype(np.float32)


def nothing(n: int) -> Conditions:
    return Conditions(np.zeros((n, 3), np.float32), np.zeros((n, 8, 2), np.float32))


def pairs(n: int, feature: str, source: int = OWN, seed: int = 0) -> ExpressionPairs:
    """Expression that follows the loudness of some channels: it can be learnt."""
    rng, dim = np.random.default_rng(seed), SPEECH_FEATURES.get(feature).dim
    slow = np.cumsum(rng.normal(0, 0.5, (4 * n, 3)), axis=0)
    slow -= np.linspace(0, 1, 4 * n)[:, None] * slow[-1]
    rows = slow @ rng.normal(0, 1, (3, dim)) + rng.normal(0, 0.1, (4 * n, dim))
    expression = slow.reshape(n, 4, 3).mean(1).astype(np.float32)
    return of_stretch({feature: rows.astype(np.float32)}, expression, np.ones(n), source, LIPS, 40)


def model(name: str) -> ExpressionMotion:
    config = SMALL[name]
    torch.manual_seed(3)
    network, dim = build(config, 3), SPEECH_FEATURES.get(config.feature).dim
    if name == "linear":
        network.network.measure(torch.randn(400, 28, dim))
    spread = np.stack([np.zeros(dim), np.ones(dim)]).astype(np.float32)
    quick = 0.0 if name == "linear" else 0.7
    return ExpressionMotion(config, network, spread, np.array([[1, 2, 3], [1, 1, 2]], np.float32), quick=quick)


def heard(name: str, n: int) -> dict[str, F32]:
    feature = SMALL[name].feature
    rows = np.random.default_rng(4).normal(0, 1, (4 * n, SPEECH_FEATURES.get(feature).dim)).astype(np.float32)
    return {feature: rows}


@pytest.mark.parametrize("name", list(EXPRESSION_NETWORKS))
def test_every_network_is_a_motion_model_that_keeps_itself(name: str) -> None:
    made, features = model(name), heard(name, 20)
    found = made.predict(features, nothing(20))
    assert found.shape == (20, 3)
    assert found.dtype == np.float32
    assert made.info.produces == "expression"
    tensors, description = made.state()
    again = MOTION_MODELS.get(description["kind"])(tensors, description, "here")
    np.testing.assert_array_equal(again.predict(features, nothing(20)), found)
    assert again.info == made.info
    assert made.predict(heard(name, 0), nothing(0)).shape == (0, 3)
    tensors.pop("rows")
    with pytest.raises(CheckpointError, match="here lacks"):
        MOTION_MODELS.get(description["kind"])(tensors, description, "here")


@pytest.mark.parametrize("name", list(EXPRESSION_NETWORKS))
def test_in_pieces_it_says_the_same_and_hears_no_further_than_its_halo(name: str) -> None:
    made, features = model(name), heard(name, 50)
    feature, whole = made.config.feature, made.predict(features, nothing(50))
    stream, said = MotionStream(made), []
    for start in range(0, 50, 7):
        n = min(7, 50 - start)
        said.append(stream.push({feature: features[feature][4 * start : 4 * (start + n)]}, nothing(n)))
    said.append(stream.finish())
    np.testing.assert_allclose(np.concatenate([s for s in said if len(s)]), whole, atol=2e-5)
    changed = {feature: features[feature].copy()}
    changed[feature][4 * 25 : 4 * 26] += 3
    moved = np.flatnonzero(np.abs(made.predict(changed, nothing(50)) - whole).max(1) > 1e-6)
    assert moved.min() >= 25 - made.info.halo
    assert moved.max() <= 25 + made.info.halo
    assert moved.max() - moved.min() >= 6, "more than the window around one frame is heard"
    for start, stop in ((0, 50), (20, 22), (0, 1), (47, 50), (9, 9)):
        np.testing.assert_allclose(made.predict_only(features, nothing(50), start, stop), whole[start:stop], atol=2e-5)


def test_shared_and_separate_windows_differ_at_their_edges_alone() -> None:
    """Where speech is zero at the edges of every window, filling in zeros changes nothing."""
    torch.manual_seed(0)
    separate, shared = SpeechExpression(2, 2, 16).eval(), SharedExpression(2, 2, 16).eval()
    shared.load_state_dict(separate.state_dict())
    for network in (separate, shared):
        for layer in network.rows:
            if isinstance(layer, torch.nn.BatchNorm2d):
                layer.bias.data.zero_()
    rows = torch.zeros(1, 4 * 19, 16)
    rows[0, 36:40] = torch.randn(4, 16)  # the middle frame alone: at least 9 rows from the edges of its own window
    one = Windowed(separate)(rows[:, 12:-12])
    with torch.inference_mode():
        # Codes of windows that hold it near their edges differ, so all but the middle code are silenced.
        for network in (separate, shared):
            network.frames[0].weight.data[..., [0, 2]] = 0
            network.frames[2].weight.data[..., [0, 2]] = 0
            network.expression.weight.data.unflatten(1, (-1, 3))[..., [0, 2]] = 0
        one, other = Windowed(separate)(rows[:, 12:-12]), shared(rows)
    assert one.shape == other.shape == (1, 1, 2)
    torch.testing.assert_close(one, other)


@pytest.mark.parametrize("name", list(EXPRESSION_NETWORKS))
def test_it_learns_and_resumes_where_it_was(name: str, tmp_path: Path) -> None:
    config = SMALL[name]
    data = pairs(200, config.feature)

    def run(folder: str, steps: int, resume: bool = False) -> ExpressionMotion:
        where = Run(tmp_path / folder, 0, "cpu", resume, Silent())
        return fit_expression(data, config, Budget(steps=steps), where)[0]

    task = ExpressionTask(config, data)
    losses = [task.step(i)["loss"] for i in range(16)]
    assert np.mean(losses[-5:]) < 0.9 * np.mean(losses[:5])
    assert all(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in task.network.parameters())
    assert set(task.validate()) == {"score", "lips_ratio", "lips_mm", "aperture_correlation", "aperture_amplitude"}
    again = ExpressionTask(config, data)
    assert [again.step(i)["loss"] for i in range(3)] == losses[:3], "steps depend on seed and number alone"
    assert run("a", 4).config == config
    torch.testing.assert_close(run("a", 4, resume=True).state()[0], run("b", 4).state()[0])


def test_batches_mix_the_sources_as_asked() -> None:
    own, other = pairs(160, "logmel"), pairs(320, "logmel", PSEUDO, seed=5)
    other = of_stretch(other.features, other.expression + 100, other.weight, PSEUDO, LIPS, 40)
    for share in (0.0, 0.25, 1.0):
        config = replace(SMALL["shared-cnn"], own_share=share, batch=8)
        task = ExpressionTask(config, joined([own, other]))
        plain = [task._draw(i)[1] * task._expression[1] + task._expression[0] for i in range(40)]
        drawn = np.concatenate(plain)[:, 0, 0] < 50
        assert drawn.mean() == pytest.approx(share, abs=0.08)
    alone = ExpressionTask(replace(SMALL["shared-cnn"], own_share=0.2), other)
    assert alone._draw(0)[0].shape[0] == 4, "pseudo pairs alone are all there is"


def test_held_out_stretches_are_whole_and_of_each_source() -> None:
    data = joined([pairs(400, "logmel"), pairs(400, "logmel", PSEUDO)])
    train, held = divided(data)
    assert sorted(set(data.clip) - set(train.clip)) == sorted(set(held.clip))
    assert set(held.source) == {OWN, PSEUDO}
    assert len(held) == 80 or len(train) + len(held) == 800
    with pytest.raises(SubjectError, match="64 are needed"):
        divided(pairs(60, "logmel"))


def test_unseen_frames_count_nothing() -> None:
    data = pairs(200, "logmel")
    weight = np.ones(200, np.float32)
    weight[60:90] = 0
    spoilt = data.expression.copy()
    spoilt[60:90] = 1e3
    config = SMALL["shared-cnn"]
    hidden, other = data.expression.copy(), weight
    hidden[60:90] = -7

    def losses(expression: F32) -> list[float]:
        made = of_stretch(data.features, expression, other, OWN, LIPS, 40)
        return [ExpressionTask(config, made).step(i)["loss"] for i in range(3)]

    assert losses(spoilt) == pytest.approx(losses(hidden))


def test_samples_begin_where_most_frames_count() -> None:
    data = pairs(200, "logmel")
    weight = np.ones(200, np.float32)
    weight[40:80] = 0
    made = of_stretch(data.features, data.expression, weight, OWN, LIPS, 100)
    task = ExpressionTask(SMALL["shared-cnn"], made)
    starts = task._starts[0][1][:, 0]
    learnt = task.train.weight
    assert all(learnt[s : s + 16].sum() >= 8 for s in starts)
    assert len(starts) < len(learnt) - 40


def test_scores_by_hand() -> None:
    """One coefficient opens the lips by 0.2 cm at three lower points; half of it is told."""
    lips = np.zeros((1, 20, 3), np.float32)
    lips[0, [17, 18, 19], 1] = -0.2
    wanted = np.array([[0.0], [1.0], [2.0], [3.0]], np.float32)
    told = lip_scores(0.5 * wanted, wanted, lips, np.zeros(1, np.float32), np.ones(4, bool))
    assert told["aperture_correlation"] == pytest.approx(1)
    assert told["aperture_amplitude"] == pytest.approx(0.5)
    assert told["lips_ratio"] == pytest.approx(0.5)
    assert told["score"] == pytest.approx(0.25), "they follow it perfectly"
    assert told["lips_mm"] == pytest.approx(0.5 * 2 * 1.5 * 3 / 20)


def test_bad_input_is_named() -> None:
    made = model("shared-cnn")
    with pytest.raises(ConfigError, match="got none; compute it"):
        made.predict({}, nothing(3))
    with pytest.raises(ShapeError, match="logmel"):
        made.predict({"logmel": np.zeros((11, 80), np.float32)}, nothing(3))
    with pytest.raises(ConfigError, match="use logmel"):
        build(ExpressionConfig(feature="visemes"), 3)
    with pytest.raises(ShapeError, match="rows"):
        build(SMALL["shared-cnn"], 3)(torch.zeros(1, 4 * halo_of(build(SMALL["shared-cnn"], 3)), 80))
