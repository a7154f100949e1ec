"""wav2vec 2.0: the loader against the published layouts, the network against reference values, rows against time."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tests.ruled import normal, rule
from torch import Tensor

from lipwright.core import weights
from lipwright.core.errors import CheckpointError
from lipwright.core.wav2vec2_weights import POSITIONS, Wav2Vec2Config, read
from lipwright.speech.features import FeatureReader, compute
from lipwright.speech.source import array_source
from lipwright.speech.wav2vec2 import PAD, Wav2Vec2, fingerprint, to_frames, utterance
from lipwright.speech.wav2vec2_network import Wav2Vec2Network

SMALL: dict[str, Any] = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48,
    "conv_dim": [16] * 7, "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 4,
}  # fmt: skip
LARGE: dict[str, Any] = {"conv_bias": True, "feat_extract_norm": "layer", "do_stable_layer_norm": True}
LAYOUTS = {"base": SMALL, "large": SMALL | LARGE, "odd": SMALL | {"num_conv_pos_embeddings": 7}}

# Made once with Wav2Vec2Model of transformers 5.23.0 in float64 from the rule below: mean, std, first 8, last 3.
GOLDEN: dict[str, tuple[float, float, list[float], list[float]]] = {
    "base": (-0.029970591865067085, 1.011011370762485, [
        -0.236027898, -1.270328941, -1.332612434, 0.486881116, -0.168888949, -0.219075567,
        0.142257880, -0.052884974,
    ], [-0.118034158, -0.981877648, -0.760905023]),
    "large": (0.01669864929331929, 1.0040840212994384, [
        -0.590601333, -0.293967589, 0.166347489, -0.621548831, 0.744731958, 1.109917353,
        0.021319546, 0.095199810,
    ], [-0.172369529, -0.048899175, -0.117944070]),
    "odd": (-0.02997278016263989, 1.0083350585763058, [
        -0.249726844, -1.257930496, -1.178851551, 0.305672210, -0.100554792, -0.233761609,
        0.023973725, -0.175454062,
    ], [-0.025521381, -0.983848019, -0.790029799]),
}  # fmt: skip


def published(
    said: dict[str, Any], style: tuple[str, str] = ("weight_g", "weight_v"), prefix: str = ""
) -> dict[str, Tensor]:
    """The tensors of a Hugging Face file, with some that stand around the encoder."""
    found = Wav2Vec2Config(**{**said, "conv_dim": tuple(said["conv_dim"])}).shapes()
    direction = found.pop(f"{POSITIONS}.weight")
    state = {prefix + key: rule(key, shape).float() for key, shape in found.items()}
    for key, name, shape in zip(("weight_g", "weight_v"), style, ((1, 1, direction[2]), direction), strict=True):
        state[f"{prefix}{POSITIONS}.{name}"] = rule(f"{POSITIONS}.{key}", shape).float()
    around = {"masked_spec_embed": torch.zeros(said["hidden_size"])}
    return state | {prefix + key: value for key, value in around.items()} | {"lm_head.bias": torch.zeros(5)}


def folder(where: Path, said: dict[str, Any], state: dict[str, Tensor], pickled: bool = False) -> Path:
    where.mkdir()
    (where / "config.json").write_text(
        json.dumps({"model_type": "wav2vec2", "vocab_size": 32, **said}), encoding="utf-8"
    )
    if pickled:
        torch.save(state, where / "pytorch_model.bin")
    else:
        save_file(state, where / "model.safetensors", metadata={"format": "pt"})
    return where


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIPWRIGHT_MODELS", str(tmp_path / "models"))
    return weights.add("wav2vec2", folder(tmp_path / "base", SMALL, published(SMALL)))[0]


def network(said: dict[str, Any], where: Path) -> Wav2Vec2Network:
    config, state = read(folder(where, said, published(said)))
    net = Wav2Vec2Network(config)
    net.load_state_dict(state)
    return net.eval()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_reference_values(layout: str, tmp_path: Path) -> None:
    net = network(LAYOUTS[layout], tmp_path / "hf").double()
    samples = normal("wav2vec2", 1, 640 * 5 + 2 * PAD)
    with torch.inference_mode():
        rows = net(samples).numpy()
    mean, std, first, last = GOLDEN[layout]
    assert rows.shape == (1, 10, 32)
    np.testing.assert_allclose([rows.mean(), rows.std()], [mean, std], rtol=1e-5)
    np.testing.assert_allclose(rows.ravel()[:8], first, atol=1e-5)
    np.testing.assert_allclose(rows[0, -1, -3:], last, atol=1e-5)


@pytest.mark.parametrize(
    ("config", "tensors", "parameters"),
    [
        (Wav2Vec2Config(), 209, 94_370_816),
        (Wav2Vec2Config(1024, 24, 16, 4096, (512,) * 7, True, "layer", True), 420, 315_437_568),
    ],
)  # transformers counts one tensor (the mask, as wide as a row) and 128 lengths of the weight norm more
def test_layout_and_size_are_the_published_ones(config: Wav2Vec2Config, tensors: int, parameters: int) -> None:
    with torch.device("meta"):
        own = {key: tuple(value.shape) for key, value in Wav2Vec2Network(config).state_dict().items()}
    assert own == config.shapes()
    assert len(own) == tensors
    assert sum(int(np.prod(shape)) for shape in own.values()) == parameters


def test_every_style_of_file_gives_the_same_tensors(tmp_path: Path) -> None:
    modern = ("parametrizations.weight.original0", "parametrizations.weight.original1")
    _, plain = read(folder(tmp_path / "a", SMALL, published(SMALL)))
    for name, state, pickled in (
        ("b", published(SMALL, modern), False),
        ("c", published(SMALL, modern, "wav2vec2."), True),
        ("d", published(SMALL, prefix="wav2vec2."), True),
    ):
        _, other = read(folder(tmp_path / name, SMALL, state, pickled))
        assert list(other) == list(plain)
        assert all(torch.equal(other[key], plain[key]) for key in plain)


def test_weight_norm_is_multiplied_out_per_tap(tmp_path: Path) -> None:
    state = published(SMALL)
    _, read_back = read(folder(tmp_path / "hf", SMALL, state))
    lengths = read_back[f"{POSITIONS}.weight"].norm(dim=(0, 1))
    np.testing.assert_allclose(lengths, state[f"{POSITIONS}.weight_g"].abs().flatten(), rtol=1e-5)


def test_frames_of_25_are_pairs_and_frames_of_30_lie_between() -> None:
    rows = np.array([[0], [1], [4], [9], [16], [25]], np.float32)
    np.testing.assert_array_equal(to_frames(rows, 3), [[0.5], [6.5], [20.5]])
    # middles at 1/60, 3/60, 5/60, 7/60 s; row r has its own at (r + 1/2)/50 s: places 1/3, 2, 3 2/3 (4/3 apart + 1)
    np.testing.assert_allclose(to_frames(rows, 3, Fraction(30)), [[1 / 3], [4], [9 + 2 / 3 * 7]], rtol=1e-6)


def test_a_block_gives_the_published_rows_of_the_whole_utterance(installed: Path, tmp_path: Path) -> None:
    speech = np.random.default_rng(1).normal(0.01, 0.1, 640 * 40).astype(np.float32)
    wide = speech.astype(np.float64)
    scaled = (wide - wide.mean()) / np.sqrt(wide.var() + 1e-7)
    net = network(SMALL, tmp_path / "hf")
    with torch.inference_mode():
        rows = net(torch.from_numpy(np.pad(scaled, PAD).astype(np.float32))[None])[0].numpy()
    np.testing.assert_allclose(
        compute("wav2vec2", array_source(speech), 0, 40), rows.reshape(40, 2, 32).mean(1), atol=1e-5
    )


def test_any_stretch_equals_the_whole_bit_for_bit(installed: Path) -> None:
    speech = np.random.default_rng(0).normal(0, 0.1, 640 * 300).astype(np.float32)
    reader = FeatureReader(array_source(speech), ["wav2vec2"])
    whole = reader.read(-10, 330)["wav2vec2"]
    assert whole.shape == (330, 32)
    np.testing.assert_array_equal(np.concatenate([reader.read(k, 33)["wav2vec2"] for k in range(-10, 320, 33)]), whole)
    np.testing.assert_array_equal(compute("wav2vec2", array_source(speech), 240, 20), whole[250:270])


def test_rows_fade_from_block_to_block(installed: Path, tmp_path: Path) -> None:
    """Frame 250 starts block 1; windows hear 100 frames more on each side and share 50 around the border."""
    speech = np.random.default_rng(5).normal(0, 0.1, 640 * 500).astype(np.float32)
    net = network(SMALL, tmp_path / "hf")
    early = np.concatenate([utterance(net, speech[: 640 * 350]), np.zeros((150, 32), np.float32)])
    late = np.concatenate([np.zeros((150, 32), np.float32), utterance(net, speech[640 * 150 :])])
    share = np.clip((np.arange(500) + 0.5 - 200) / 100, 0, 1)[:, None]
    rows = compute("wav2vec2", array_source(speech), 0, 500)
    np.testing.assert_allclose(rows, (1 - share) * early + share * late, atol=1e-5)


def test_loudness_and_silence_around_do_not_matter(installed: Path) -> None:
    speech = np.random.default_rng(2).normal(0, 0.1, 640 * 50).astype(np.float32)
    rows = compute("wav2vec2", array_source(speech), 0, 50)
    quiet = compute("wav2vec2", array_source(speech * 0.5), 0, 50)
    np.testing.assert_allclose(quiet, rows, atol=1e-3)
    later = compute("wav2vec2", array_source(np.pad(speech, (640 * 30, 0))), 0, 100)
    np.testing.assert_array_equal(later[30:80], rows)
    silence = compute("wav2vec2", array_source(np.zeros(0, np.float32)), 0, 1)
    np.testing.assert_array_equal(later[:30], np.repeat(silence, 30, axis=0))
    assert np.abs(rows - silence).max() > 0.5


def test_an_event_shows_in_its_own_frame(tmp_path: Path) -> None:
    """The large layout without attention or position hears locally: a click moves the rows it falls into most."""
    net = network(LAYOUTS["large"], tmp_path / "hf")
    for name, tensor in net.named_parameters():
        if "out_proj" in name or "pos_conv" in name:
            tensor.data.zero_()
    noise = np.random.default_rng(3).normal(0, 1e-3, 640 * 20).astype(np.float32)
    click = noise.copy()
    click[640 * 12 + 300 : 640 * 12 + 340] += np.random.default_rng(4).normal(0, 2e-3, 40).astype(np.float32)
    moved = np.abs(utterance(net, click) - utterance(net, noise)).sum(1)
    assert moved.argmax() == 12
    assert moved[12] > 10 * np.delete(moved, (11, 12, 13)).max()


def test_the_feature_has_the_width_of_what_is_installed(installed: Path, tmp_path: Path) -> None:
    assert Wav2Vec2.dim == Wav2Vec2().dim == 32
    before = fingerprint()
    assert (installed.parent / "wav2vec2.safetensors.sha256").read_text(encoding="utf-8").startswith(before)
    wider = SMALL | LARGE | {"hidden_size": 48}
    weights.add("wav2vec2", folder(tmp_path / "wider", wider, published(wider)))
    assert Wav2Vec2.dim == 48
    assert fingerprint() != before
    assert compute("wav2vec2", array_source(np.ones(640, np.float32)), 0, 2).shape == (2, 48)


def test_without_weights_one_sentence_says_how_to_bring_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIPWRIGHT_MODELS", str(tmp_path / "none"))
    words = r"needs weights that are not here; .*lipwright models add wav2vec2 FOLDER$"
    with pytest.raises(CheckpointError, match=words):
        compute("wav2vec2", array_source(np.zeros(640, np.float32)), 0, 1)
    with pytest.raises(CheckpointError, match=words):
        _ = Wav2Vec2.dim


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model_type": "hubert"}, "model_type is 'hubert', only 'wav2vec2' can be used"),
        ({"conv_stride": [5, 2, 2, 2, 2, 2, 1]}, r"conv_stride is .* only \[5, 2, 2, 2, 2, 2, 2\]"),
        ({"adapter_attn_dim": 16}, "adapter_attn_dim is 16, only None"),
        ({"hidden_size": 64}, r"expected feature_projection\.projection\.weight of shape \(64, 16\), got \(32, 16\)"),
        ({"num_hidden_layers": 3}, r"expected encoder\.layers\.2\.attention\.q_proj\.weight .* got nothing"),
        ({"num_attention_heads": 5}, "its widths do not fit each other"),
        ({"num_attention_heads": 0}, "describes no wav2vec 2.0"),
        ({"conv_dim": 16}, "describes no wav2vec 2.0"),
        ({"feat_extract_norm": "batch"}, "describes no wav2vec 2.0"),
    ],
)
def test_other_networks_are_refused(change: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=words):
        read(folder(tmp_path / "hf", SMALL | change, published(SMALL)))


def test_what_is_broken_or_absent_is_named(tmp_path: Path) -> None:
    where = folder(tmp_path / "hf", SMALL, published(SMALL))
    state = published(SMALL)
    state["encoder.layer_norm.bias"][3] = float("nan")
    save_file(state, where / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"encoder\.layer_norm\.bias holds values that are not finite"):
        read(where)
    (where / "model.safetensors").write_bytes(b"short")
    with pytest.raises(CheckpointError, match="not a readable safetensors file"):
        read(where)
    (where / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"holds neither model\.safetensors nor pytorch_model\.bin"):
        read(where)
    (where / "config.json").write_text("[]", encoding="utf-8")
    with pytest.raises(CheckpointError, match="it is no table"):
        read(where)
    (where / "config.json").unlink()
    with pytest.raises(CheckpointError, match=r"config\.json cannot be read"):
        read(where)
    with pytest.raises(CheckpointError, match="is not a folder; give the path of the wav2vec2 folder"):
        weights.add("wav2vec2", where / "config.json")
