"""Reference values of pix2pixHD and SAGAN parts (mean, standard deviation and first eight outputs).

Made once from the published networks in float64 with weights and inputs that are a seeded hash of their name;
`fill` and `make_input` repeat that rule.
"""

from __future__ import annotations

import zlib

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from lipwright.render.translation.attention import SelfAttention
from lipwright.render.translation.discriminators import MultiscaleDiscriminator
from lipwright.render.translation.losses import feature_matching, lsgan
from lipwright.render.translation.networks import GlobalGenerator, LocalEnhancer


def _random(name: str) -> np.random.RandomState:
    return np.random.RandomState(zlib.crc32(name.encode()) & 0xFFFFFFFF)


def fill(module: nn.Module) -> nn.Module:
    """Every weight from a hash of its key: a renamed or reordered key gives other values."""
    state = module.double().eval().state_dict()
    for key, tensor in state.items():
        noise = _random(key).standard_normal(tuple(tensor.shape))
        if tensor.ndim >= 2:
            noise = noise / np.sqrt(np.prod(tensor.shape[1:]))
        elif key.endswith("weight"):
            noise = 1 + 0.1 * noise
        else:
            noise = 0.1 * noise
        state[key] = torch.from_numpy(np.asarray(noise))
    module.load_state_dict(state)
    return module


def make_input(tag: str, shape: tuple[int, ...]) -> Tensor:
    return torch.from_numpy(_random("input:" + tag).standard_normal(shape))


def check(output: Tensor, expected: tuple[int, float, float, list[float]]) -> None:
    numel, mean, std, first = expected
    flat = output.detach().numpy().ravel()
    assert flat.size == numel
    np.testing.assert_allclose(flat.mean(), mean, rtol=1e-6)
    np.testing.assert_allclose(flat.std(), std, rtol=1e-6)
    np.testing.assert_allclose(flat[:8], first, rtol=1e-6)


# name: (count, mean, standard deviation, first outputs)
GOLDEN: dict[str, tuple[int, float, float, list[float]]] = {
    "p2phd.global_ngf8_d4_b9": (
        12288,
        0.03989422016381745,
        0.4810055272362529,
        [
            -0.22144733253581797,
            0.11801994355803817,
            -0.9164681822549068,
            0.0298840051052121,
            -0.8701058568184338,
            0.47932046391411604,
            -0.65205505288125,
            0.14392134391969522,
        ],
    ),
    "p2phd.local_ngf8_d3_b9_e1_l3": (
        12288,
        0.051503914833408625,
        0.4893140660138656,
        [
            0.12566459508024824,
            0.4412790103410298,
            0.5183188561615731,
            0.6499545075820604,
            -0.5526795501187326,
            0.31773917961467746,
            0.6831554785094999,
            0.8841473587358198,
        ],
    ),
    "p2phd.msd_ndf8.scale0.feat0": (
        8712,
        0.31478673075510544,
        0.6425821674706526,
        [
            0.4364333564275862,
            -0.026171269013330552,
            0.05138527965930105,
            -0.1118277020826025,
            -0.05802320214967234,
            -0.005861243672282321,
            -0.04980378959951156,
            -0.07862909701603102,
        ],
    ),
    "p2phd.msd_ndf8.scale0.feat1": (
        4624,
        0.3185950840616189,
        0.6486430995233367,
        [
            0.032375972882586285,
            1.0978269970437777,
            0.42981250668313453,
            -0.01310884598882997,
            1.2474880066248348,
            -0.07495108150236222,
            0.5247922195895264,
            0.2322221372290749,
        ],
    ),
    "p2phd.msd_ndf8.scale0.feat2": (
        2592,
        0.3175471492563768,
        0.6477995005182687,
        [
            -0.1135643290552974,
            0.7080199178344696,
            -0.05323213305534128,
            0.7547923364251454,
            -0.10252794406488877,
            -0.3647988384738695,
            -0.1742968549871985,
            0.8890845833180446,
        ],
    ),
    "p2phd.msd_ndf8.scale0.feat3": (
        6400,
        0.3108580719044578,
        0.6485642165806293,
        [
            -0.1389639663628663,
            -0.11574511623488999,
            -0.05699386713391763,
            0.2892139362323472,
            -0.051818000048761526,
            0.6031501876043981,
            -0.1072803711915139,
            -0.13081178507821895,
        ],
    ),
    "p2phd.msd_ndf8.scale0.feat4": (
        121,
        -0.013835965979084692,
        0.5459540512369404,
        [
            0.253173302721925,
            -0.06105929943853877,
            -0.17585970982864388,
            -0.025195244749259608,
            0.077303154227618,
            0.10637695922954774,
            0.6419799155539637,
            -0.5033398641365123,
        ],
    ),
    "p2phd.msd_ndf8.scale1.feat0": (
        2312,
        0.1305886920575677,
        0.23902566600819125,
        [
            -0.009457566109629733,
            -0.05409748276768137,
            -0.017824405557327273,
            -0.051787527512938136,
            0.20148214320356683,
            0.220229574254557,
            -0.08276960159084384,
            -0.19085680547232375,
        ],
    ),
    "p2phd.msd_ndf8.scale1.feat1": (
        1296,
        0.31697006851332216,
        0.6471586549650248,
        [
            0.49977083500223757,
            0.9870532604432402,
            0.34091908029711626,
            -0.05797875596108118,
            0.6870021584220273,
            -0.22059384936033577,
            1.0422890802477816,
            1.4722365476956238,
        ],
    ),
    "p2phd.msd_ndf8.scale1.feat2": (
        800,
        0.31324693006300736,
        0.6548769309261213,
        [
            0.08143202180575995,
            -0.13092418045170837,
            -0.013378441110712439,
            -0.38467904192262786,
            -0.0720979382574174,
            1.27446267612602,
            -0.22068210364441715,
            0.8349955129013366,
        ],
    ),
    "p2phd.msd_ndf8.scale1.feat3": (
        2304,
        0.31427145340560664,
        0.6548173701766676,
        [
            -0.1857450702055141,
            -0.1462594733758059,
            0.052754141294456755,
            -0.08350179478956944,
            0.6286499049830109,
            -0.017547847625370025,
            -0.1446513587907638,
            1.4699201069484797,
        ],
    ),
    "p2phd.msd_ndf8.scale1.feat4": (
        49,
        -0.07604548875057605,
        0.5797630871303541,
        [
            0.21928579932636505,
            -0.08273738411934098,
            -0.5011036976566939,
            -0.12819403144147068,
            -0.35584570021105205,
            -0.46564832876805506,
            -0.2733693417252153,
            0.1585499291757381,
        ],
    ),
    "p2phd.loss_feat_match_lambda10": (1, 23.338398865975407, 0.0, [23.338398865975407]),
    "p2phd.loss_lsgan_real": (1, 2.819928323034156, 0.0, [2.819928323034156]),
    "sagan.self_attn_c32_gamma0.5": (
        3840,
        0.002365416631332029,
        1.0245481926320263,
        [
            -0.6719570020008623,
            -0.01074955076613969,
            -0.15815356233141203,
            0.818723525942215,
            1.220390493027678,
            -0.1331489573790755,
            -0.9559349674505904,
            1.137756990168564,
        ],
    ),
}


def test_global_generator() -> None:
    output = fill(GlobalGenerator(3, 3, ngf=8, n_downs=4, n_blocks=9))(make_input("p2p.x", (1, 3, 64, 64)))
    check(output, GOLDEN["p2phd.global_ngf8_d4_b9"])


def test_local_enhancer() -> None:
    network = LocalEnhancer(3, 3, ngf=8, n_downs=3, n_blocks=9, n_local_blocks=3)
    check(fill(network)(make_input("p2p.x", (1, 3, 64, 64))), GOLDEN["p2phd.local_ngf8_d3_b9_e1_l3"])


def test_discriminator_features_and_losses() -> None:
    judge = fill(MultiscaleDiscriminator(6, ndf=8, n_scales=2))
    a, b = (judge(make_input(tag, (1, 6, 64, 64))) for tag in ("p2p.d", "p2p.d2"))
    for scale in range(2):
        for i in range(5):
            check(a[scale][i], GOLDEN[f"p2phd.msd_ndf8.scale{scale}.feat{i}"])
    matching, real = GOLDEN["p2phd.loss_feat_match_lambda10"][1], GOLDEN["p2phd.loss_lsgan_real"][1]
    assert (10 * feature_matching(a, b)).item() == pytest.approx(matching, rel=1e-6)
    assert lsgan(a, 1.0).item() == pytest.approx(real, rel=1e-6)


def test_self_attention() -> None:
    block = fill(SelfAttention(32))
    assert isinstance(block, SelfAttention)
    block.gamma.data.fill_(0.5)
    check(block(make_input("sa.x", (1, 32, 12, 10))), GOLDEN["sagan.self_attn_c32_gamma0.5"])
