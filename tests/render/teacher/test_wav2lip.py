"""Wav2Lip's networks against reference values made with the published code from rule-generated weights and inputs."""

from __future__ import annotations

import pytest
import torch
from tests.ruled import Reference, check, normal, ruled, uniform
from torch import nn

from lipwright.core.errors import ConfigError, ShapeError
from lipwright.core.wav2lip_layout import shapes
from lipwright.render.teacher.networks import QualityDiscriminator, SyncExpert, Wav2Lip

# mean, std, first 8 in float64 (rtol 1e-6)
GENERATOR: Reference = (0.47075548158028463, 0.11583219850500436, [
    0.5022002745285361, 0.4744557874441797, 0.5263596027018319, 0.5134320618844507,
    0.5352086979237062, 0.46218696204018406, 0.5203459736006892, 0.5012463509633878,
])  # fmt: skip
EXPERT_SOUND: Reference = (0.02565234954077826, 0.035987247227840746, [
    0.0, 0.06559412839011325, 0.03001737667838041, 0.0, 0.0, 0.0, 0.10069981987040873, 0.06828520244468082,
])  # fmt: skip
EXPERT_LIPS: Reference = (0.025414629836231738, 0.03615551949961876, [
    0.005540965032231301, 0.0, 0.056597659195968, 0.0, 0.0, 0.020101667897497073, 0.0, 0.0001738532530061518,
])  # fmt: skip
QUALITY: Reference = (0.48600075740924964, 0.0003856546370034413, [
    0.4864428610027625, 0.4857613060688687, 0.4863753629179565, 0.48643112682927925,
    0.4863206866683045, 0.48629037959806276, 0.48575689515453546, 0.4856908770765684,
])  # fmt: skip


@pytest.fixture(scope="module")
def generator() -> nn.Module:
    return ruled(Wav2Lip(), shapes("generator"))


@pytest.mark.parametrize(
    ("network", "model", "keys", "parameters"),
    [
        ("generator", Wav2Lip, 352, 36_298_035),
        ("expert", SyncExpert, 217, 16_435_072),
        ("quality", QualityDiscriminator, 28, 14_113_793),
    ],
)
def test_layouts_are_the_published_ones(network: str, model: type[nn.Module], keys: int, parameters: int) -> None:
    with torch.device("meta"):
        built = model()
    state = {key: tuple(value.shape) for key, value in built.state_dict().items()}
    assert list(state.items()) == list(shapes(network).items())
    assert len(state) == keys
    assert sum(p.numel() for p in built.parameters()) == parameters


def test_a_few_published_shapes() -> None:
    found = shapes("generator")
    assert found["face_encoder_blocks.0.0.conv_block.0.weight"] == (16, 6, 7, 7)
    assert found["face_decoder_blocks.3.0.conv_block.0.weight"] == (768, 384, 3, 3)
    assert found["output_block.0.conv_block.0.weight"] == (32, 80, 3, 3)
    assert shapes("expert")["face_encoder.1.conv_block.0.weight"] == (64, 32, 5, 5)
    assert "face_encoder_blocks.0.0.conv_block.1.weight" not in shapes("quality")


def test_generator_reference_values_and_windows_of_frames(generator: nn.Module) -> None:
    mel, faces = normal("w2l.mel", 2, 1, 80, 16), uniform("w2l.face", 2, 6, 96, 96)
    with torch.inference_mode():
        drawn = generator(mel, faces)
        check(drawn, GENERATOR)
        # windows of two frames: item b has frames (b, 1 - b)
        swapped = torch.stack([mel, mel.flip(0)], 1), torch.stack([faces, faces.flip(0)], 2)
        windows = generator(*swapped)
    assert windows.shape == (2, 3, 2, 96, 96)
    torch.testing.assert_close(windows[:, :, 0], drawn)
    torch.testing.assert_close(windows[:, :, 1], drawn.flip(0))


def test_the_generator_hears_and_sees_both_pictures(generator: nn.Module) -> None:
    """The reference values barely depend on the sound: each input is tested on its own."""
    mel, faces = normal("w2l.mel", 2, 1, 80, 16)[:1], uniform("w2l.face", 2, 6, 96, 96)[:1]
    with torch.inference_mode():
        heard = generator.audio_encoder(mel)  # type: ignore[operator]
        assert heard.shape == (1, 512, 1, 1)
        assert (generator.audio_encoder(-mel) - heard).abs().max() > 0.1  # type: ignore[operator]
        drawn = generator(mel, faces)
        other_sound = generator(-mel, faces)
        assert (other_sound - drawn).abs().max() > 1e-9
        for first in (0, 3):
            other = faces.clone()
            other[:, first : first + 3] = 1 - other[:, first : first + 3]
            assert (generator(mel, other) - drawn).abs().max() > 1e-3


def test_expert_reference_values() -> None:
    expert = ruled(SyncExpert(), shapes("expert"))
    with torch.inference_mode():
        sound, lips = expert(normal("w2l.mel", 2, 1, 80, 16), uniform("syncc.face", 2, 15, 48, 96))
    check(sound, EXPERT_SOUND)
    check(lips, EXPERT_LIPS)
    for points in (sound, lips):
        assert points.min() >= 0
        torch.testing.assert_close(points.norm(dim=1), torch.ones(2, dtype=torch.float64))


def test_quality_reference_values_and_only_lower_halves_count() -> None:
    judge = ruled(QualityDiscriminator(), shapes("quality"))
    faces = uniform("disc.face", 2, 3, 5, 96, 96)
    with torch.inference_mode():
        chance = judge(faces)
        check(chance, QUALITY)
        assert chance.shape == (10, 1)
        upper = faces[:, :, :1].clone()
        upper[:, :, :, :48] = 0
        torch.testing.assert_close(judge(upper), chance[:2])
        upper[:, :, :, 48:] = 0
        assert (judge(upper) - chance[:2]).abs().max() > 1e-6


@pytest.mark.parametrize("divide", [2, 8])
def test_narrow_networks_fit_together_and_learn(divide: int) -> None:
    torch.manual_seed(0)
    mel, faces = torch.randn(2, 1, 80, 16), torch.rand(2, 6, 96, 96)
    net = Wav2Lip(divide)
    assert sum(p.numel() for p in net.parameters()) < 1.1 * 36_298_035 / divide**2
    net(mel, faces).mean().backward()
    assert all(p.grad is not None for p in net.parameters())
    sound, lips = SyncExpert(divide)(mel, torch.rand(2, 15, 48, 96))
    assert sound.shape == lips.shape == (2, 512 // divide)
    assert QualityDiscriminator(divide)(torch.rand(1, 3, 2, 96, 96)).shape == (2, 1)


def test_wrong_shapes_and_widths_are_errors() -> None:
    net = Wav2Lip(8).eval()
    for mel, faces in [((2, 1, 80, 15), (2, 6, 96, 96)), ((2, 1, 80, 16), (2, 3, 96, 96)),
                       ((2, 3, 1, 80, 16), (2, 6, 2, 96, 96))]:  # fmt: skip
        with pytest.raises(ShapeError):
            net(torch.zeros(mel), torch.zeros(faces))
    with pytest.raises(ShapeError):
        QualityDiscriminator(8)(torch.zeros(1, 3, 96, 96))
    with pytest.raises(ConfigError, match="cannot be divided by 3"):
        Wav2Lip(3)
    with pytest.raises(ConfigError, match="unknown network 'x'; available: generator, expert, quality"):
        shapes("x")
