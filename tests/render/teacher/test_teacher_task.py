"""Expert and generator: windows by hand, learning, resuming, files."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lipwright.core.errors import CheckpointError, ShapeError, SubjectError
from lipwright.core.progress import Silent
from lipwright.render.teacher.data import TalkingFace
from lipwright.render.teacher.networks import SIDE, SyncExpert, load_teacher
from lipwright.render.teacher.task import ExpertTask, GeneratorTask, TeacherConfig, cosine_loss, halves
from lipwright.speech.wav2lip_mel import mel
from lipwright.train.loop import Budget
from lipwright.train.run import Run
from lipwright.train.teacher import fit_teacher

CONFIG = TeacherConfig(divide=8, batch=4, learning_rate=1e-3)


def talking(seed: int, frames: int = 60) -> TalkingFace:
    """A dark mouth on a grey face that opens with the loudness of noise."""
    rng = np.random.default_rng(seed)
    opening = np.clip(np.convolve(rng.normal(size=frames), np.ones(4), "same") + 1, 0, 3)
    faces = np.full((frames, SIDE, SIDE, 3), 150 + 10 * (seed % 3), np.uint8)
    for t, height in enumerate((opening * 8).astype(int)):
        faces[t, 66 : 68 + height, 30:66] = 30
    loud = np.repeat(opening, 640)
    return TalkingFace(faces, (0.02 + 0.1 * loud * rng.normal(size=len(loud))).astype(np.float32))


def test_a_frame_hears_the_columns_that_begin_with_it() -> None:
    clip = talking(0)
    whole = mel(np.pad(clip.samples, (0, 3200)))
    np.testing.assert_array_equal(clip.heard(10), whole[:, 32:48])
    np.testing.assert_array_equal(clip.heard(11), whole[:, 35:51])
    np.testing.assert_array_equal(clip.heard(-1)[:, :4], whole[:, [4, 3, 2, 1]])


def test_lower_halves_stand_frame_after_frame() -> None:
    faces = torch.zeros(1, 3, 5, SIDE, SIDE)
    for k in range(5):
        faces[0, :, k] = torch.tensor([k, k + 10, k + 20]).float()[:, None, None]
    assert halves(faces).shape == (1, 15, SIDE // 2, SIDE)
    assert halves(faces)[0, :, 0, 0].tolist() == [v for k in range(5) for v in (k, k + 10, k + 20)]


def test_the_cosine_loss_by_hand() -> None:
    sound, lips = torch.tensor([[1.0, 0.0], [1.0, 0.0]]), torch.tensor([[0.6, 0.8], [0.6, 0.8]])
    loss = cosine_loss(sound, lips, torch.tensor([1.0, 0.0]))
    assert float(loss) == pytest.approx(-(math.log(0.6) + math.log(0.4)) / 2, abs=1e-5)


def test_the_expert_learns_and_repeats_itself() -> None:
    clips = [talking(k) for k in range(3)]
    tasks = [ExpertTask(clips, clips[:1], CONFIG) for _ in range(2)]
    losses = [tasks[0].step(i)["loss"] for i in range(12)]
    assert [tasks[1].step(i)["loss"] for i in range(2)] == losses[:2]
    assert np.mean(losses[-4:]) < np.mean(losses[:4])
    assert set(tasks[0].validate()) == {"score", "right"}
    assert all(p.grad is not None for p in tasks[0].network.parameters())


def test_the_generator_asks_the_expert_only_when_it_is_worth_it() -> None:
    clips = [talking(k) for k in range(2)]
    torch.manual_seed(0)
    expert = SyncExpert(8).eval()
    task = GeneratorTask(clips, clips, expert, replace(CONFIG, sync_from=-1.0))
    losses = [task.step(i) for i in range(10)]
    assert all(set(told) == {"l1"} for told in losses)
    assert losses[-1]["l1"] < losses[0]["l1"]
    scores = task.validate()
    assert set(scores) == {"score", "l1", "l1_other_sound", "l1_copied", "sync"}
    assert set(task.step(10)) == {"l1"}
    eager = GeneratorTask(clips, clips, expert, replace(CONFIG, sync_from=100.0))
    eager.validate()
    assert set(eager.step(0)) == {"l1", "sync"}
    assert eager.preview().shape == (5 * SIDE, 3 * SIDE, 3)


def test_masked_faces_hide_the_mouth_and_the_sound_is_a_frame_early() -> None:
    clip = talking(1)
    task = GeneratorTask([clip], [clip], SyncExpert(8), CONFIG)
    given = {}

    def spy(sound: torch.Tensor, faces: torch.Tensor) -> torch.Tensor:
        given["sound"], given["faces"] = sound, faces
        return faces[:, :3]

    task.network.forward = spy  # type: ignore[method-assign]
    task._made([(clip, 20, 30)])
    assert given["faces"].shape == (1, 6, 5, SIDE, SIDE)
    assert not given["faces"][0, :3, :, SIDE // 2 :].any()
    assert given["faces"][0, 3:, :, SIDE // 2 :].any()
    np.testing.assert_array_equal(given["sound"][0, 0, 0].numpy(), clip.heard(19))


def test_a_teacher_is_made_goes_on_and_comes_back(tmp_path: Path) -> None:
    clips = [talking(k, 24) for k in range(2)]
    where = Run(tmp_path, 0, "cpu", True, Silent())
    made = fit_teacher(clips, clips[:1], CONFIG, Budget(steps=1), where)
    again = fit_teacher(clips, clips[:1], CONFIG, Budget(steps=1), where)
    torch.testing.assert_close(made.generator.state_dict(), again.generator.state_dict())
    assert again.records["expert"].steps == 1
    with pytest.raises(CheckpointError, match="other settings"):
        fit_teacher(clips, clips[:1], replace(CONFIG, batch=2), Budget(steps=1), where)
    made.save(tmp_path / "own.safetensors", "noise")
    network, mode = load_teacher(tmp_path / "own.safetensors")
    assert mode == "aligned"
    torch.testing.assert_close(network.state_dict(), made.generator.state_dict())
    assert (tmp_path / "own.json").is_file()
    clips[0].save(tmp_path / "clip.npz")
    np.testing.assert_array_equal(TalkingFace.load(tmp_path / "clip.npz").faces, clips[0].faces)


def test_bad_input_is_named(tmp_path: Path) -> None:
    with pytest.raises(SubjectError, match="no talking faces"):
        ExpertTask([], [], CONFIG)
    with pytest.raises(ShapeError, match="faces"):
        TalkingFace(np.zeros((5, SIDE, SIDE, 3), np.uint8), np.zeros(10, np.float32))
    with pytest.raises(CheckpointError, match="run again"):
        TalkingFace.load(tmp_path / "none.npz")
