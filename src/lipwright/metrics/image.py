"""Picture against picture: PSNR, and SSIM in the two conventions that papers mix up.

Images are RGB uint8 (H, W, 3) (or one channel); values are per frame, videos take the mean over frames
Compare decoded with decoded, full frame and mouth box apart: untouched background
inflates both numbers.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32
from lipwright.core.errors import ShapeError

PSNR_CAP = 100.0
"""dB that an identical frame counts as in a mean: one infinity would hide every other frame."""

GAUSSIAN_SIZE, GAUSSIAN_SIGMA, UNIFORM_SIZE = 11, 1.5, 7


def mse(real: NDArray[Any], generated: NDArray[Any]) -> float:
    """Mean squared error over all pixels and channels, in squared grey levels; >= 0."""
    check_same("generated", generated, real)
    if real.dtype == generated.dtype == np.uint8 and real.size:  # exact sums of integers, at a tenth of the time
        return cv2.norm(real, generated, cv2.NORM_L2SQR) / real.size
    difference = real.astype(np.float64) - generated.astype(np.float64)
    return float(np.mean(difference * difference))


def psnr(real: NDArray[Any], generated: NDArray[Any], data_range: float = 255.0) -> float:
    """10 log10(data_range^2 / MSE) in dB; infinite for identical images. Higher is better."""
    error = mse(real, generated)
    return float("inf") if error == 0 else 10.0 * float(np.log10(data_range**2 / error))


def mean_psnr(values: Iterable[float], cap: float = PSNR_CAP) -> float:
    """Mean over frames of per-frame PSNR, each at most `cap` dB; nan for no frames."""
    capped = [min(v, cap) for v in values]
    return float(np.mean(capped)) if capped else float("nan")


def ssim_gaussian(real: NDArray[Any], generated: NDArray[Any]) -> float:
    """SSIM of Wang et al. 2004: 11x11 Gaussian window of sigma 1.5, population covariance, data range 255.

    Mean over pixels whose window lies inside the image and over channels; range [-1, 1], 1 is identical.
    Equals scikit-image's with gaussian_weights=True, sigma=1.5, use_sample_covariance=False.
    """
    return float(ssim_map_gaussian(real, generated).mean(dtype=np.float64))


def ssim_uniform(real: NDArray[Any], generated: NDArray[Any]) -> float:
    """SSIM in scikit-image's default: 7x7 uniform window, sample covariance (N/(N-1)), data range 255.

    Mean over pixels whose window lies inside the image and over channels; range [-1, 1], 1 is identical.
    """
    return float(ssim_map_uniform(real, generated).mean(dtype=np.float64))


def ssim_map_gaussian(real: NDArray[Any], generated: NDArray[Any]) -> F32:
    """(H - 10, W - 10, C) local SSIM of the Gaussian convention."""
    kernel = np.asarray(cv2.getGaussianKernel(GAUSSIAN_SIZE, GAUSSIAN_SIGMA, cv2.CV_64F), dtype=np.float64)
    return _ssim_map(real, generated, kernel, covariance_scale=1.0)


def ssim_parts_gaussian(real: NDArray[Any], generated: NDArray[Any]) -> tuple[F32, F32]:
    """The two factors of `ssim_map_gaussian`: luminance, and contrast times structure."""
    kernel = np.asarray(cv2.getGaussianKernel(GAUSSIAN_SIZE, GAUSSIAN_SIGMA, cv2.CV_64F), dtype=np.float64)
    return _ssim_parts(real, generated, kernel, covariance_scale=1.0)


def ssim_map_uniform(real: NDArray[Any], generated: NDArray[Any]) -> F32:
    """(H - 6, W - 6, C) local SSIM of the uniform convention."""
    kernel = np.full((UNIFORM_SIZE, 1), 1.0 / UNIFORM_SIZE)
    n = UNIFORM_SIZE**2
    return _ssim_map(real, generated, kernel, covariance_scale=n / (n - 1))


def check_same(name: str, array: NDArray[Any], like: NDArray[Any]) -> None:
    """ShapeError unless both have the same shape."""
    if array.shape != like.shape:
        raise ShapeError(name, like.shape, array.shape)


def _ssim_map(real: NDArray[Any], generated: NDArray[Any], kernel: NDArray[np.float64], covariance_scale: float) -> F32:
    light, structure = _ssim_parts(real, generated, kernel, covariance_scale)
    return np.asarray(light * structure, dtype=np.float32)


def _ssim_parts(
    real: NDArray[Any],
    generated: NDArray[Any],
    kernel: NDArray[np.float64],
    covariance_scale: float,
    data_range: float = 255.0,
) -> tuple[F32, F32]:
    check_same("generated", generated, real)
    margin = len(kernel) // 2
    if min(real.shape[:2]) < len(kernel):
        raise ShapeError("real", (f">={len(kernel)}", f">={len(kernel)}"), real.shape)
    # Single precision halves the time. Two things keep its errors below the sixth digit: grey levels around 0,
    # and 2 cov(x, y) = var x + var y - var(x - y), which makes identical pictures exactly 1.
    half = np.float32(data_range / 2)
    x, y = _channels(real) - half, _channels(generated) - half
    gap = x - y

    def blur(image: NDArray[Any]) -> F32:
        out = cv2.sepFilter2D(image, cv2.CV_32F, kernel, kernel, borderType=cv2.BORDER_REFLECT)
        return np.asarray(out.reshape(image.shape)[margin:-margin, margin:-margin], dtype=np.float32)

    mean_y, mean_gap = blur(y), blur(gap)
    mean_x = mean_y + mean_gap
    variances = covariance_scale * (blur(x * x + y * y) - mean_x * mean_x - mean_y * mean_y)
    apart = covariance_scale * np.maximum(blur(gap * gap) - mean_gap * mean_gap, 0)
    mean_x, mean_y = mean_x + half, mean_y + half
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    light = 1 - mean_gap * mean_gap / (mean_x * mean_x + mean_y * mean_y + c1)
    return np.asarray(light, np.float32), np.asarray(1 - apart / (variances + c2), np.float32)


def _channels(image: NDArray[Any]) -> F32:
    return np.asarray(image[..., None] if image.ndim == 2 else image, dtype=np.float32)
