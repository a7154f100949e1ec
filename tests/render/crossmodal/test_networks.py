"""Table 2 of the paper layer by layer, the feature paste, and the ways to draw only what is needed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from lipwright.core.errors import ConfigError
from lipwright.render.crossmodal.config import BACKBONES, PRESETS, CrossModalConfig, changed_preset, preset
from lipwright.render.crossmodal.networks import CrossModal, Reduction, SpeechEncoder, pasted
from lipwright.render.crossmodal.start import Start

SQUARES = {256: (80, 130, 96), 512: (160, 260, 192), 768: (240, 390, 288)}
TABLE = CrossModalConfig(size=512, residual=False, heard_bases=0)
SMALL = CrossModalConfig(size=256)

KEYPOINTS = [(14.16, (8, 256, 256)), (18.87, (16, 128, 128)), (18.87, (32, 64, 64)), (18.87, (64, 32, 32))]
DECODER = [
    (18.87, (32, 64, 64)),
    (18.87, (16, 128, 128)),
    (18.87, (8, 256, 256)),
    (37.75, (8, 512, 512)),
    (150.99, (8, 512, 512)),
    (308.28, (3, 512, 512)),
]
"""(10^6 multiply-accumulates, output shape) of the table's convolutions at 512 px."""


def network(config: CrossModalConfig = SMALL) -> CrossModal:
    torch.manual_seed(1)
    return CrossModal(config, SQUARES[config.size])


def inputs(config: CrossModalConfig = SMALL, batch: int = 1) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(2)
    strokes = torch.rand(batch, 3, config.size, config.size, generator=generator)
    return strokes, torch.rand(batch, config.window, config.k, generator=generator)


def counted(model: nn.Module, run: object) -> dict[str, tuple[float, tuple[int, ...]]]:
    """Millions of multiply-accumulates and output shape of every layer with weights, while `run()` runs."""
    found: dict[str, tuple[float, tuple[int, ...]]] = {}

    def hook(name: str):
        def count(layer: nn.Module, given: tuple[Tensor, ...], out: Tensor) -> None:
            weight = layer.weight
            if isinstance(layer, nn.Linear):
                macs = weight.numel()
            elif isinstance(layer, nn.ConvTranspose2d):  # every input pixel meets the whole kernel
                macs = weight.numel() * given[0].shape[2:].numel()
            else:
                macs = weight.numel() * out.shape[2:].numel()
            found[name] = (macs / 1e6, tuple(out.shape[1:]))

        return count

    layers = (nn.Conv1d, nn.Conv2d, nn.ConvTranspose2d, nn.Linear)
    handles = [m.register_forward_hook(hook(n)) for n, m in model.named_modules() if isinstance(m, layers)]
    with torch.no_grad():
        run()  # type: ignore[operator]
    for handle in handles:
        handle.remove()
    return found


def total(found: dict[str, tuple[float, tuple[int, ...]]]) -> float:
    return sum(macs for macs, _ in found.values())


def parameters(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def test_every_layer_of_table_2() -> None:
    model = network(TABLE)
    found = counted(model, lambda: model(*inputs(TABLE)))
    encoder = [f"keypoint_encoder.{i}.0" for i in range(4)]
    speech = ["speech_encoder.mix", "speech_encoder.widen", "speech_encoder.spread"]
    halves = {p: [*(f"{p}_decoder.trunk.{i}.0" for i in range(5)), f"{p}_decoder.output"] for p in ("head", "mouth")}
    assert set(found) == {*encoder, *speech, "fusion.0", *halves["head"], *halves["mouth"]}
    rows = [*zip(encoder, KEYPOINTS, strict=True), ("fusion.0", (38.34, (64, 32, 32)))]
    rows += [row for names in halves.values() for row in zip(names, DECODER, strict=True)]
    for name, (macs, shape) in rows:
        assert found[name][0] == pytest.approx(macs, abs=0.006), name
        assert found[name][1] == shape, name
    # The table lists 6 * 34 products of the 1 x 1 convolution over the window, 34 -> 1024 and 1024 -> 1024.
    assert found[speech[0]] == (204 / 1e6, (1, 34))
    assert found[speech[1]][0] == pytest.approx(0.035, abs=0.0005)
    assert found[speech[2]] == (pytest.approx(1.049, abs=0.0005), (1024,))
    for name, kind in zip(halves["head"], [nn.ConvTranspose2d] * 4 + [nn.Conv2d] * 2, strict=True):
        assert isinstance(model.get_submodule(name), kind)


def test_totals_of_the_table() -> None:
    model = network(TABLE)
    assert total(counted(model, lambda: model(*inputs(TABLE)))) == pytest.approx(1217.5, abs=0.05)
    assert parameters(model) / 1e6 == pytest.approx(1.2007, abs=5e-5)


def test_totals_with_residual_blocks() -> None:
    config = replace(TABLE, residual=True)
    model = network(config)
    found = counted(model, lambda: model(*inputs(config)))
    assert total(found) == pytest.approx(1444.0, abs=0.05)
    assert parameters(model) / 1e6 == pytest.approx(1.2250, abs=5e-5)
    blocks = {n: v for n, v in found.items() if ".inner." in n}
    assert [shape for _, shape in blocks.values()] == [
        (8, 256, 256), (8, 256, 256), (16, 128, 128), (16, 128, 128), (32, 64, 64), (32, 64, 64),
    ]  # fmt: skip
    assert all(macs == pytest.approx(75.50 / 2, abs=0.005) for macs, _ in blocks.values())


def test_what_the_heard_bases_add() -> None:
    config = replace(TABLE, heard_bases=12)
    assert parameters(network(config)) - parameters(network(TABLE)) == 6 * 34 * 12 + 12
    without_base = replace(config, mean_base=False)
    assert parameters(network(without_base)) == parameters(network(TABLE))


def test_bases_move_as_speech_says() -> None:
    """With silent convolutions the pictures are tanh(base + said · moves), in a region too."""
    model = network(replace(SMALL, heard_bases=2, window=1, speech_dim=3))
    rng = np.random.default_rng(0)
    small = [rng.normal(0, 0.3, (2, 3, 128, 128)).astype(np.float32) for _ in range(2)]
    base = [rng.normal(0, 0.3, (3, 256, 256)).astype(np.float32) for _ in range(2)]
    weight, bias = np.array([[1, 0, 0], [0, 2, 0]], np.float32), np.array([0.5, 0], np.float32)
    model.start_from(Start(base[0], base[1], weight, bias, small[0], small[1]))
    for decoder in (model.head_decoder, model.mouth_decoder):
        assert decoder is not None
        nn.init.zeros_(decoder.output.weight)
        nn.init.zeros_(decoder.output.bias)  # type: ignore[arg-type]
    speech = torch.tensor([[[0.5, -1.0, 7.0]]])
    with torch.no_grad():
        head, mouth = model(torch.zeros(1, 3, 256, 256), speech)
        part = model.draw(torch.zeros(1, 3, 256, 256), speech, (40, 50, 90, 120))
    for drawn, own, moves in zip((head, mouth), base, small, strict=True):
        said = torch.from_numpy(1.0 * moves[0] - 2.0 * moves[1])[None]
        large = nn.functional.interpolate(said, scale_factor=2, mode="bilinear")
        torch.testing.assert_close(drawn, torch.tanh(torch.from_numpy(own) + large), atol=1e-5, rtol=0)
    torch.testing.assert_close(part, head[:, :, 50:120, 40:90])


def test_drawing_skips_the_mouths_output_layer() -> None:
    config = replace(TABLE, residual=True)
    model = network(config)
    found = counted(model, lambda: model.draw(*inputs(config)))
    assert "mouth_decoder.output" not in found
    assert total(found) == pytest.approx(1135.7, abs=0.05)


@pytest.mark.parametrize(("size", "planes", "spread"), [(256, 4, 1024), (512, 1, 1024), (768, 1, 48 * 48)])
def test_sizes(size: int, planes: int, spread: int) -> None:
    config = CrossModalConfig(size=size)
    model = network(config)
    side = size // 16
    assert model.speech_encoder.spread.weight.shape == (spread, 1024)
    with torch.no_grad():
        assert model.speech_encoder(inputs(config)[1]).shape == (1, planes, side, side)
        head, mouth = model(*inputs(config))
    assert head.shape == mouth.shape == (1, 3, size, size)
    assert max(head.abs().max(), mouth.abs().max()) <= 1


@pytest.mark.parametrize("seen", ["head", "mouth"])
def test_the_head_picture_reaches_both_decoders_through_the_paste(seen: str) -> None:
    model = network()
    head, _ = model(*inputs())
    head.square().sum().backward()
    found = {n: p.grad for n, p in model.named_parameters() if n.startswith(f"{seen}_decoder.trunk") and "weight" in n}
    assert len(found) == 5
    for name, gradient in found.items():
        assert gradient is not None, name
        assert gradient.abs().max() > 0, name


def test_every_parameter_gets_gradient() -> None:
    model = network()
    for decoder in (model.head_decoder, model.mouth_decoder):
        assert decoder is not None
        decoder.moves.normal_()  # begin as zeros, until a person is known
    head, mouth = model(*inputs(batch=2))
    weight = torch.rand_like(head)  # a plain mean would be blind to what normalisation fixes
    ((head * weight).sum() + (mouth * weight.flip(3)).sum()).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.abs().max() > 0, name


def test_the_paste_covers_its_square_and_nothing_else() -> None:
    head, mouth = torch.zeros(1, 2, 64, 64), torch.ones(1, 2, 64, 64)
    mouth[0, 1] = torch.arange(64.0)
    out = pasted(head, Reduction(24)(mouth), (10, 30, 24))
    inside = torch.zeros(64, 64, dtype=torch.bool)
    inside[30:54, 10:34] = True
    assert torch.equal(out[0, 0] != 0, inside)
    torch.testing.assert_close(out[0, 0][inside], torch.ones(24 * 24))
    # Half-pixel centres: pixel p of 24 lies at (p + 0.5) * 64 / 24 - 0.5 of 64; sampled, the filter errs by 0.03.
    places = (torch.arange(24) + 0.5) * 64 / 24 - 0.5
    torch.testing.assert_close(out[0, 1, 40, 10:34][2:-2], places[2:-2], atol=0.05, rtol=0)


def test_the_region_alone_is_what_the_whole_shows_there() -> None:
    model = network().eval()
    with torch.no_grad():
        whole, _ = model(*inputs())
        for region in ((0, 0, 256, 256), (60, 90, 200, 256), (0, 5, 17, 40)):
            left, top, right, bottom = region
            part = model.draw(*inputs(), region)
            torch.testing.assert_close(part, whole[:, :, top:bottom, left:right], atol=1e-6, rtol=0)


def test_chunks_of_a_batch_are_what_the_batch_is() -> None:
    model = network().eval()
    strokes, speech = inputs(batch=3)
    with torch.no_grad():
        together, _ = model(strokes, speech)
        alone = torch.cat([model(strokes[i : i + 1], speech[i : i + 1])[0] for i in range(3)])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)


def test_speech_is_heard_from_the_start() -> None:
    """Faintly: at full weight its random planes are noise that training silences for good."""
    model = network().eval()
    strokes, speech = inputs()
    with torch.no_grad():
        change = (model(strokes, speech)[1] - model(strokes, 1 - speech)[1]).abs().mean()
        still = (model(strokes, speech)[1] - model(1 - strokes, speech)[1]).abs().mean()
    assert 0.003 * still < change < 0.1 * still


@pytest.mark.parametrize("name", BACKBONES)
def test_backbones_keep_every_shape(name: str) -> None:
    model = network(replace(SMALL, backbone=name))
    head, mouth = model(*inputs())
    assert head.shape == mouth.shape == (1, 3, 256, 256)
    (head.mean() + mouth.mean()).backward()
    assert all(p.grad is not None for p in model.parameters())


def test_backbones_cost_what_they_are_known_for() -> None:
    def cost(name: str) -> float:
        model = network(replace(SMALL, backbone=name))
        return total(counted(model, lambda: model(*inputs())))

    assert cost("depthwise") < cost("ours") == cost("hard-swish") < 2 * cost("mobilenetv2")


def test_one_decoder_shows_its_own_mouth_enlarged() -> None:
    model = network(replace(SMALL, decoders=1))
    assert model.mouth_decoder is None
    head, mouth = model(*inputs())
    x, y, side = SQUARES[256]
    assert mouth.shape == head.shape
    torch.testing.assert_close(
        mouth.mean((2, 3)), head[:, :, y : y + side, x : x + side].mean((2, 3)), atol=1e-2, rtol=0
    )


@pytest.mark.parametrize(("window", "dim", "expressions"), [(2, 34, 0), (12, 104, 0), (6, 768, 1)])
def test_any_window_and_speech(window: int, dim: int, expressions: int) -> None:
    config = replace(SMALL, window=window, speech_dim=dim, expressions=expressions)
    with torch.no_grad():
        assert network(config)(*inputs(config))[0].shape == (1, 3, 256, 256)


def test_speech_is_standardised_by_what_it_was_trained_on() -> None:
    encoder = SpeechEncoder(1, 3, 16)
    rows = torch.tensor([[0.0, 5.0, 0.0], [2.0, 9.0, 0.0]]).numpy()
    encoder.standardise(rows)
    assert encoder.mean.tolist() == [1.0, 7.0, 0.0]
    # Deviations 1, 2, 0; their root mean square is sqrt(5/3), a quarter of it the floor of the silent channel.
    assert encoder.scale.tolist() == pytest.approx([1.0, 0.5, 4 / (5 / 3) ** 0.5])


def test_a_square_outside_the_picture_is_refused() -> None:
    with pytest.raises(ConfigError, match="does not lie in a picture of 256 px"):
        CrossModal(SMALL, (200, 10, 96))


def test_presets_and_what_they_refuse() -> None:
    assert {name: p.size for name, p in PRESETS.items()} == {"draft": 256, "standard": 512, "broadcast": 768}
    assert changed_preset("draft", {"decoders": "1"}).decoders == 1
    with pytest.raises(ConfigError, match="unknown preset 'best'"):
        preset("best")
    with pytest.raises(ConfigError, match="unknown backbone 'vgg'"):
        CrossModalConfig(backbone="vgg")
    with pytest.raises(ConfigError, match="256, 512, 768"):
        CrossModalConfig(size=300)
