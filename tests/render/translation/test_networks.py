"""Networks against published pix2pixHD and SAGAN values, key layouts and the method's promises."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from lipwright.render.translation.attention import SelfAttention
from lipwright.render.translation.config import PRESETS, preset
from lipwright.render.translation.discriminators import MultiscaleDiscriminator
from lipwright.render.translation.losses import feature_matching, lsgan
from lipwright.render.translation.networks import GlobalGenerator, LocalEnhancer, build_generator
