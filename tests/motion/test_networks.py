"""Every motion model of the zoo: sizes, fields, streams, and what it learns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from lipwright.core.contracts import Conditions
from lipwright.core.errors import CheckpointError, ConfigError
from lipwright.motion.cascade import Cascade, CascadeConfig
from lipwright.motion.config import MotionConfig
from lipwright.motion.data import MotionClip, MotionData
from lipwright.motion.judge import Discriminator, Judge
from lipwright.motion.model import CascadeMotion
from lipwright.motion.mouth import MouthOnly, SpeechTcn
from lipwright.motion.networks import build
from lipwright.motion.recurrent import AttentionBiLstm, SlidingLstm
from lipwright.motion.registry import MOTION_MODELS
from lipwright.motion.scores import aperture, correlation
from lipwright.motion.streaming import MotionStream
from lipwright.motion.task import MotionTask
from lipwright.motion.zoo import LOOKAHEADS_MS, MOTIONS

from .conftest import make_clip
from .test_tcn import field, lively

PLAIN = [name for name in MOTIONS if name != "instant"]
"""All that hear the filterbank alone."""


def small(name: str) -> MotionConfig:
    return replace(MOTIONS.get(name), width=8, batch=4, dropout=0.0)


def rows(frames: int, seed: int = 0) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {"logfbank": torch.randn(1, 4 * frames, 26, generator=generator)}


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def test_published_sizes_of_system_a() -> None:
    generator = SpeechTcn(CascadeConfig().blind())
    assert count(generator) == 503_949  # by hand: 5056 + 24704 in front, 395264 in the TCN, 78925 behind it
    assert generator(rows(64), 64).shape == (1, 64, 13)
    judged = Discriminator(CascadeConfig())(torch.randn(3, 256, 26), torch.randn(3, 64, 13))
    assert judged.shape == (3,)


@pytest.mark.parametrize("name", PLAIN)
def test_every_model_meets_the_contract_and_is_kept_in_a_file(name: str, clip: MotionClip) -> None:
    task = MotionTask(small(name), MotionData((clip,)), seed=2)
    task.budget_fraction(0.5)
    for i in range(2):
        assert all(np.isfinite(list(task.step(i).values())))
    model = task.model()
    out = model.predict(clip.features, clip.conditions)
    assert out.shape == (len(clip), 29, 2)
    assert out.dtype == np.float32
    tensors, description = model.state()
    assert description["kind"] in MOTION_MODELS
    again = MOTION_MODELS.get(description["kind"])(tensors, description, "here")
    assert again.info == model.info
    np.testing.assert_array_equal(again.predict(clip.features, clip.conditions), out)
    assert set(task.kept) == {"cascade"}


@pytest.mark.parametrize("name", PLAIN)
def test_streamed_in_pieces_it_says_the_same(name: str) -> None:
    clip, piece = make_clip(150, seed=3), 1 if name in ("pose-adaptive, 80 ms", "lstm") else 37
    model = MotionTask(small(name), MotionData((clip,)), seed=1).model()
    lively_again(model)
    whole = model.predict(clip.features, clip.conditions)
    assert float(np.abs(np.diff(whole, axis=0)).max()) > 1e-5, "something moves"
    stream, told, late = MotionStream(model), [], []
    for start in range(0, 150, piece):
        part = clip.part(start, min(start + piece, 150))
        told.append(stream.push(part.features, part.conditions))
        late.append(min(start + piece, 150) - sum(map(len, told)))
    assert max(late) == stream.lookahead
    told.append(stream.finish())
    np.testing.assert_allclose(np.concatenate(told), whole, atol=2e-6)
    assert len(stream.finish()) == 0


def lively_again(model: CascadeMotion) -> None:
    """Untrained networks barely answer: make every path count."""
    lively(model.cascade).float()
    for buffer, value in (("scale", 1.0), ("spread", 0.1)):
        if isinstance(model.cascade, MouthOnly):
            getattr(model.cascade, buffer).fill_(value)


@pytest.mark.parametrize("ms", LOOKAHEADS_MS)
def test_a_limited_lookahead_hears_no_further(ms: int) -> None:
    config = MOTIONS.get(f"pose-adaptive, {ms} ms")
    assert MotionTask(replace(config, width=8), MotionData((make_clip(100),))).model().info.lookahead_s == ms / 1000
    shape = CascadeConfig(fast_features=(("logfbank", 1),), width=8, causal=True, lookahead=config.lookahead)
    cascade = lively(Cascade(shape))

    def run(heard: Tensor) -> Tensor:
        n = heard.shape[1] // 4
        return cascade({"logfbank": heard}, torch.zeros(1, n, 3).double(), torch.zeros(1, n, 16).double())[1]

    at = 40
    seen = [field(run, 4 * 230, 4, 4 * at + k) for k in range(4)]
    assert {s[0] for s in seen} == {-config.lookahead}, "an impulse is answered L frames before it and no sooner"
    assert max(k for s in seen for k in s) == shape.halo - config.lookahead


def test_a_lookahead_needs_a_causal_network() -> None:
    with pytest.raises(ConfigError, match="needs causal=True"):
        MotionConfig(lookahead=2).cascade()
    with pytest.raises(ConfigError, match="not causal"):
        build(replace(MOTIONS.get("lstm"), causal=True))
    with pytest.raises(ConfigError, match="takes features of 4 rows"):
        build(replace(MOTIONS.get("bilstm"), features=("logfbank", "phones")))
    with pytest.raises(ConfigError, match="has no discriminator"):
        build(replace(MOTIONS.get("pose-adaptive"), adversarial=0.01))
    with pytest.raises(ConfigError, match="unknown motion network 'gru'"):
        build(MotionConfig(network="gru"))


def test_the_lstm_reads_fifty_rows_and_answers_two_tenths_late() -> None:
    torch.manual_seed(0)
    network, heard = SlidingLstm(26, 5).eval(), rows(30)["logfbank"]
    out = network({"logfbank": heard}, 30)
    for frame in (7, 12, 24):
        window = heard[:, 4 * frame - 28 : 4 * frame + 22]  # ends 20 rows behind the frame's second
        assert window.shape[1] == 50
        torch.testing.assert_close(out[:, frame], network.dense(network.lstm(window)[0][:, -1]))
    network.sliding = False
    whole = network({"logfbank": heard}, 30)
    torch.testing.assert_close(whole[:, 0], out[:, 0])  # the first window is all there is
    assert whole.shape == out.shape


def test_the_bidirectional_network_attends_to_seventeen_frames() -> None:
    torch.manual_seed(0)
    network, heard = AttentionBiLstm(26, 6).eval(), rows(40)["logfbank"]
    out = network({"logfbank": heard}, 40)
    frames = heard.reshape(1, 40, 104)
    for frame in (8, 20, 31):
        states = network.lstm(frames[:, frame - 8 : frame + 9])[0]
        weights = torch.softmax(network.score(states)[..., 0], dim=1)
        torch.testing.assert_close(out[:, frame], network.dense((weights[..., None] * states).sum(1)))
    network.sliding = False
    assert network({"logfbank": heard}, 40).shape == out.shape


@pytest.mark.parametrize("around", [0, 3, 8, 11])
@pytest.mark.parametrize("kind", [SlidingLstm, AttentionBiLstm])
def test_context_frames_are_heard_and_left_out(kind: type[nn.Module], around: int) -> None:
    torch.manual_seed(0)
    network, heard = kind(26, 5).eval(), rows(40)
    whole = network(heard, 40)
    inner = network(heard, 40, around)
    torch.testing.assert_close(inner, whole[:, around : 40 - around])


def test_the_jaw_follows_the_mouth_as_in_the_training_frames(clip: MotionClip) -> None:
    task = MotionTask(small("basic-tcn"), MotionData((clip,)))
    truth, flat = task._encoded()
    assert isinstance(task.cascade, MouthOnly)
    spread = task.cascade.spread.numpy()
    np.testing.assert_allclose(truth @ spread[:, :40], flat[:, :40], atol=0.2)  # a hundredth of the unit: noise
    left = flat[:, 40:] - truth @ spread[:, 40:]
    assert (left**2).mean() < 0.02 * (flat[:, 40:] ** 2).mean()
    assert float(task.cascade.scale) == pytest.approx(float(np.sqrt((truth**2).mean())), rel=1e-4)


def test_the_judge_learns_which_speech_a_mouth_belongs_to() -> None:
    torch.manual_seed(0)
    config = CascadeConfig(width=16, dropout=0.0)
    judge = Judge(config, 0.5, torch.device("cpu"))
    for group in judge.optimiser.param_groups:
        group["lr"] = 2e-3
    drive = torch.randn(16, 32, 1)
    speech = {"logfbank": drive.repeat_interleave(4, 1).repeat(1, 1, 26)}
    other = {"logfbank": speech["logfbank"].roll(4, 0)}
    real, made = drive.repeat(1, 1, 13), torch.zeros(16, 32, 13)
    losses = [float(judge.learn(speech, other, real, made)) for _ in range(60)]
    assert losses[-1] < 0.5 * losses[0]
    judge.network.eval()
    with torch.no_grad():
        fits, wrong = (judge.network(s["logfbank"], real).mean() for s in (speech, other))
        still = judge.network(speech["logfbank"], made).mean()
    assert fits > wrong + 0.3
    assert fits > still + 0.3


def test_negatives_lie_half_a_second_away(clip: MotionClip) -> None:
    marked = {"logfbank": np.repeat(np.arange(len(clip), dtype=np.float32), 4)[:, None].repeat(26, 1)}
    counted = MotionClip(marked, clip.landmarks, clip.conditions, clip.weight)
    task = MotionTask(small("news-anchor"), MotionData((counted,)))
    batch = task._batches.draw(3)
    std = float(task.statistics.feature_std["logfbank"][0])
    apart = (batch.elsewhere["logfbank"] - batch.features["logfbank"]) * std
    assert (np.abs(apart[:, 0, 0]) > 12.5).all()
    np.testing.assert_allclose(apart, np.broadcast_to(apart[:, :1, :1], apart.shape), atol=0.01)


def test_the_discriminator_joins_after_its_share(clip: MotionClip) -> None:
    task = MotionTask(small("news-anchor"), MotionData((clip,)))
    before = [p.clone() for p in task.modules()["judge"].parameters()]
    assert "verdict" not in task.step(0)
    assert all(torch.equal(a, b) for a, b in zip(before, task.modules()["judge"].parameters(), strict=True))
    task.budget_fraction(0.2)
    assert {"judge", "verdict"} <= set(task.step(1))
    dead = [n for n, p in task.modules()["judge"].named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert dead == []


@pytest.mark.parametrize("name", ["news-anchor", "lstm", "bilstm"])
def test_mouth_networks_hear_what_opens_the_mouth(name: str) -> None:
    clip = make_clip(200)
    still = MotionClip(
        clip.features,
        (clip.landmarks - 0.3 * clip.conditions.pose_rad[:, None, 1:2]).astype(np.float32),
        Conditions(0 * clip.conditions.pose_rad, clip.conditions.cheeks),
        clip.weight,
    )
    config = replace(MOTIONS.get(name), width=16, batch=4, dropout=0.0, learning_rate=5e-3)
    task = MotionTask(config, MotionData((still,)), seed=0)
    for i in range(60):
        task.budget_fraction(i / 60)
        task.step(i)
    out = task.model().predict(still.features, still.conditions)
    mean = still.landmarks.mean(axis=0)
    assert ((out - still.landmarks) ** 2).mean() < 0.6 * ((mean - still.landmarks) ** 2).mean()
    assert correlation(aperture(out), aperture(still.landmarks)) > 0.7


def test_a_file_of_another_kind_is_refused(clip: MotionClip) -> None:
    tensors, description = MotionTask(small("basic-tcn"), MotionData((clip,))).model().state()
    with pytest.raises(CheckpointError, match="describes a 'cascade', expected one of"):
        CascadeMotion.from_state(tensors, description | {"kind": "cascade"})
