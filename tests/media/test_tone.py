"""High dynamic range to standard: reference values computed by hand, properties, and a clip made for it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, VideoReformatter

from lipwright.core.errors import ConfigError
from lipwright.media.color import BT709, SAME_SIZE, ColorTags, apply_tags, to_rgb8
from lipwright.media.hdr import HdrToSdr, is_hdr
from lipwright.media.tone import (
    HDR_TRANSFERS,
    REFERENCE_WHITE,
    clip_gamut,
    hlg_light,
    hlg_scene,
    pq_light,
    pq_signal,
    sdr_of_hdr,
    tone_curve,
)
from lipwright.media.video import VideoReader

PRESENTER = Path(__file__).parents[2] / "src" / "lipwright" / "assets" / "presenter.mp4"
FROM_709 = np.linalg.inv(np.array([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]]))


def hlg_signal(scene: np.ndarray) -> np.ndarray:
    """HLG signal of scene light 0..1 (BT.2100 table 5, OETF)."""
    a = 0.17883277
    b, c = 1 - 4 * a, 0.5 - a * np.log(4 * a)
    e = np.clip(scene, 0, 1)
    return np.where(e <= 1 / 12, np.sqrt(3 * e), a * np.log(np.maximum(12 * e - b, 1e-12)) + c)


def grey(signal: float) -> np.ndarray:
    return np.full((1, 3), signal)


def test_pq_reference_values() -> None:
    """ST 2084: BT.2408 table 1 and BT.2100 give these pairs (signal in % to three digits)."""
    nits = np.array([0.0, 26, 100, 203, 1000, 4000, 10_000])
    signal = np.array([0.0, 0.380, 0.508, 0.581, 0.752, 0.903, 1.0])
    np.testing.assert_allclose(pq_signal(nits), signal, atol=6e-4)
    np.testing.assert_allclose(pq_light(pq_signal(nits)), nits, rtol=1e-9, atol=1e-4)


def test_hlg_reference_values() -> None:
    """BT.2100: signal 0.5 is scene light 1/12, 1 is 1; 75 % on a 1000-nit display is 203 nits (BT.2408)."""
    np.testing.assert_allclose(hlg_scene(np.array([0.0, 0.5, 1.0])), [0, 1 / 12, 1], atol=1e-6)
    np.testing.assert_allclose(hlg_light(grey(0.75)), 203, rtol=2e-3)
    np.testing.assert_allclose(hlg_light(grey(1.0)), 1000, rtol=1e-5)
    signal = np.linspace(0, 1, 50)
    np.testing.assert_allclose(hlg_signal(hlg_scene(signal)), signal, atol=1e-6)


@pytest.mark.parametrize("transfer", HDR_TRANSFERS)
def test_grey_card_and_white_land_where_bt2408_puts_them(transfer: str) -> None:
    card, white = (0.380, 0.581) if transfer == "smpte2084" else (0.38, 0.75)
    assert sdr_of_hdr(grey(card), transfer)[0, 1] == pytest.approx(0.425, abs=0.005)  # 18 % card: 42 % in SDR
    assert 0.88 < sdr_of_hdr(grey(white), transfer)[0, 1] < 0.95
    assert sdr_of_hdr(grey(0.0), transfer)[0, 1] < 1e-4
    assert sdr_of_hdr(grey(1.0), transfer)[0, 1] == pytest.approx(1, abs=1e-3)


def test_the_curve_keeps_light_below_its_knee_and_never_falls() -> None:
    nits = np.linspace(0, 10_000, 20_001)
    shown = tone_curve(nits)
    assert (np.diff(shown) >= -1e-9).all()
    np.testing.assert_allclose(shown[nits < 87], nits[nits < 87])
    # BT.2390 by hand at 203 nits: T = 1/3, so P = 20/27 KS + 4/27 (1 - KS) + 7/27 max; KS = 1.5 max - 0.5.
    top, most = 0.751827, 0.580689 / 0.751827
    knee = 1.5 * most - 0.5
    by_hand = 10_000 * _pq_eotf((20 / 27 * knee + 4 / 27 * (1 - knee) + 7 / 27 * most) * top)
    assert float(tone_curve(np.array(203.0))) == pytest.approx(by_hand, rel=2e-3)
    assert shown[-1] == pytest.approx(REFERENCE_WHITE)


def _pq_eotf(signal: float) -> float:
    power = signal ** (1 / 78.84375)
    return (max(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)) ** (1 / 0.1593017578125)


@pytest.mark.parametrize("transfer", HDR_TRANSFERS)
def test_grey_stays_grey_and_rises(transfer: str) -> None:
    ramp = sdr_of_hdr(np.repeat(np.linspace(0, 1, 1001)[:, None], 3, axis=1), transfer)
    assert (np.diff(ramp, axis=0) >= -1e-9).all()
    assert np.ptp(ramp, axis=1).max() < 0.5 / 255


def test_colours_keep_their_hue_over_the_whole_range_of_light() -> None:
    """Skin, scaled from shade to a lamp's glare: the ratios of its linear parts stay."""
    skin = np.array([1.0, 0.6, 0.45])
    for nits in (5, 50, 150, 400, 900):
        shown = sdr_of_hdr(pq_signal(skin * nits @ FROM_709.T)[None], "smpte2084")[0] ** 2.4
        np.testing.assert_allclose(shown / shown.max(), skin, atol=2e-3)


def test_the_gamut_clip_is_soft_and_leaves_ordinary_colours() -> None:
    inside = np.random.default_rng(0).uniform(0.2, 1, (500, 3))
    np.testing.assert_allclose(clip_gamut(inside), inside)
    amounts = np.linspace(0, 1, 200)[:, None]
    to_edge = (1 - amounts) * np.ones(3) + amounts * np.array([-0.66, 1.1246, 1.018])  # grey to BT.2020's cyan
    clipped = clip_gamut(to_edge)
    assert clipped.min() >= 0
    assert (np.diff(clipped[:, 0]) < 0).all()  # no two colours fall together
    np.testing.assert_allclose(clipped.max(axis=1), to_edge.max(axis=1))


def test_another_transfer_is_refused() -> None:
    with pytest.raises(ConfigError, match="not HDR"):
        sdr_of_hdr(grey(0.5), "bt709")


def hdr_frame(rgb8: np.ndarray, transfer: str, pix_fmt: str = "yuv420p10le") -> av.VideoFrame:
    """The HDR frame that shows an SDR picture at its own light (no highlights): the inverse of the mapping."""
    light = (rgb8 / 255.0) ** 2.4 * REFERENCE_WHITE @ FROM_709.T
    if transfer == "smpte2084":
        signal = pq_signal(light)
    else:
        luma = np.maximum(light @ np.array([0.2627, 0.6780, 0.0593]) / 1000, 1e-12) ** (1 / 1.2)
        signal = hlg_signal(light / 1000 * luma[..., None] ** -0.2)
    deep = av.VideoFrame.from_ndarray(np.round(signal * 65535).astype(np.uint16), format="rgb48le")
    frame = VideoReformatter().reformat(
        deep, format=pix_fmt, dst_colorspace=9, src_color_range=ColorRange.JPEG,
        dst_color_range=ColorRange.MPEG, interpolation=SAME_SIZE,
    )  # fmt: skip
    apply_tags(frame, hdr_tags(transfer))
    return frame


def hdr_tags(transfer: str) -> ColorTags:
    return ColorTags("limited", "bt2020nc", "bt2020", transfer)


def presenter_picture() -> np.ndarray:
    with av.open(str(PRESENTER)) as container:
        frame = next(container.decode(video=0))
        return to_rgb8(frame, VideoReformatter(), BT709, (256, 256))


@pytest.mark.parametrize("transfer", HDR_TRANSFERS)
def test_the_presenter_in_hdr_comes_back(transfer: str) -> None:
    """Below the knee (level 180 of 255) the mapping undoes the inverse to within rounding and chroma halving."""
    truth = presenter_picture()
    frame = hdr_frame(truth, transfer)
    frame.pts, frame.time_base = 7, Fraction(1, 25)
    sdr = HdrToSdr(hdr_tags(transfer))(frame)
    assert (sdr.format.name, sdr.pts, sdr.time_base) == ("yuv420p", 7, Fraction(1, 25))
    shown = to_rgb8(sdr, VideoReformatter(), BT709)
    low = truth.max(axis=2) < 178
    # Chroma is halved twice on the way, so edges differ; measured: luma-like mean 0.9, mean of the signed error 0.3.
    error = shown.astype(int) - truth
    assert np.abs(error[low]).mean() < 2
    assert np.abs(error[low].mean(axis=0)).max() < 0.7
    assert shown[~low].mean() < truth[~low].mean()  # whites are pulled under the shoulder, not above


def test_only_pq_and_hlg_are_hdr() -> None:
    assert is_hdr(hdr_tags("smpte2084"))
    assert is_hdr(hdr_tags("arib-std-b67"))
    assert not is_hdr(ColorTags("limited", "bt2020nc", "bt2020", "bt2020-10"))


@pytest.mark.parametrize("transfer", HDR_TRANSFERS)
@pytest.mark.parametrize("codec", ["libx265", "libsvtav1"])
def test_an_hdr_file_is_read_in_sdr(tmp_path: Path, transfer: str, codec: str) -> None:
    truth = presenter_picture()
    path = tmp_path / "hdr.mkv"
    options = {"libx265": {"preset": "ultrafast", "crf": "4", "x265-params": "log-level=none"}}.get(
        codec, {"preset": "8", "crf": "6", "svtav1-params": "lp=1"}
    )
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 256, 256, "yuv420p10le"
        apply_tags(stream.codec_context, hdr_tags(transfer))
        for i in range(3):
            frame = hdr_frame(truth, transfer)
            frame.pts, frame.time_base = i, Fraction(1, 25)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    with VideoReader(path) as reader:
        frames = list(reader)
    assert reader.info.hdr == hdr_tags(transfer)
    assert reader.info.color == BT709
    assert (len(frames), frames[0].picture.pix_fmt, frames[0].picture.tags) == (3, "yuv420p", BT709)
    low = truth.max(axis=2) < 178
    error = frames[1].rgb8.astype(int) - truth
    assert np.abs(error[low]).mean() < 2.5
    assert np.abs(error[low].mean(axis=0)).max() < 1
