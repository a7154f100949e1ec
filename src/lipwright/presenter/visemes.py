"""What the mouth does for each phone, in ICT expression names.

Weights are full expressions at 1; a name ending in `*` means both sides. They were set by eye on the
rendered face and against textbook descriptions of English articulation (Ladefoged & Johnson, "A Course in
Phonetics"). jawOpen 1 opens the lips by about 3.3 cm, so conversational vowels need 0.1 to 0.4.
"""

from __future__ import annotations

from dataclasses import dataclass, field

TONGUE = "tongueTip"
"""Our own expression: the tip of the tongue rises behind the upper teeth (the light model has none)."""

BILABIAL = frozenset({"p", "b", "m"})
LABIODENTAL = frozenset({"f", "v"})
SILENCE = frozenset({"pau", "sil", "sp", "h#", "brth"})


@dataclass(frozen=True)
class Viseme:
    """A mouth shape and how strongly it insists on being reached (Cohen & Massaro 1993)."""

    weights: dict[str, float] = field(default_factory=dict)
    """Expression name to weight."""
    dominance: float = 1.0
    """Relative weight against neighbours while the windows overlap."""
    anticipation_s: float = 0.09
    """How long before the phone the shape begins to form."""
    gap_cm: float | None = None
    """Inner-lip gap that is forced at the apex: 0 for lips that meet; None leaves it to the shape."""


def _v(
    jaw: float,
    dominance: float = 1.0,
    anticipation_s: float = 0.09,
    gap_cm: float | None = None,
    **weights: float,
) -> Viseme:
    expanded = {"jawOpen": jaw}
    for name, value in weights.items():
        for full in (f"{name[:-2]}_L", f"{name[:-2]}_R") if name.endswith("_S") else (name,):
            expanded[full] = value
    return Viseme(expanded, dominance, anticipation_s, gap_cm)


_AA = _v(0.38, mouthLowerDown_S=0.18, mouthUpperUp_S=0.12)
_AE = _v(0.31, mouthStretch_S=0.22, mouthSmile_S=0.12, mouthUpperUp_S=0.2, mouthLowerDown_S=0.28)
_AH = _v(0.25, mouthLowerDown_S=0.18, mouthUpperUp_S=0.1)
_AX = _v(0.14, 0.6, mouthLowerDown_S=0.15, mouthUpperUp_S=0.05)
_AO = _v(0.32, anticipation_s=0.12, mouthFunnel=0.4, mouthPucker=0.15)
_EH = _v(0.23, mouthStretch_S=0.14, mouthSmile_S=0.12, mouthUpperUp_S=0.18, mouthLowerDown_S=0.28)
_IH = _v(0.14, 0.9, mouthStretch_S=0.14, mouthSmile_S=0.14, mouthUpperUp_S=0.15, mouthLowerDown_S=0.26)
_IY = _v(0.09, mouthStretch_S=0.24, mouthSmile_S=0.28, mouthUpperUp_S=0.16, mouthLowerDown_S=0.3)
_UW = _v(0.09, 1.2, 0.13, mouthPucker=0.7, mouthFunnel=0.22)
_UH = _v(0.14, anticipation_s=0.11, mouthPucker=0.38, mouthFunnel=0.22)
_R = _v(0.1, 0.8, 0.11, mouthPucker=0.28, mouthFunnel=0.34, tongueTip=0.3)
_W = _v(0.05, 1.3, 0.13, mouthPucker=0.85, mouthFunnel=0.12)
_PB = _v(0.06, 0.8, gap_cm=0.0, mouthPress_S=0.12, mouthRollLower=0.1, mouthRollUpper=0.08)
_M = _v(0.06, 0.8, gap_cm=0.0, mouthPress_S=0.08, mouthRollLower=0.06, mouthRollUpper=0.04)
_FV = _v(0.05, 1.1, gap_cm=0.16, mouthUpperUp_S=0.3, mouthRollLower=0.4, mouthShrugLower=0.1)
_TH = _v(0.13, 0.8, mouthLowerDown_S=0.25, mouthUpperUp_S=0.14, tongueTip=0.9)
_TDN = _v(0.08, 0.5, mouthLowerDown_S=0.22, mouthUpperUp_S=0.12, mouthStretch_S=0.08, tongueTip=1.0)
_SZ = _v(0.05, 0.9, mouthLowerDown_S=0.34, mouthUpperUp_S=0.2, mouthStretch_S=0.14, tongueTip=0.6)
_L = _v(0.15, 0.5, mouthLowerDown_S=0.18, mouthUpperUp_S=0.1, tongueTip=1.0)
_SH = _v(0.07, 1.1, 0.12, mouthFunnel=0.6, mouthPucker=0.25, mouthLowerDown_S=0.2, tongueTip=0.4)
_KG = _v(0.15, 0.35, mouthLowerDown_S=0.15, mouthUpperUp_S=0.06)
_HH = _v(0.16, 0.2, mouthLowerDown_S=0.1)
_REST = Viseme({}, 1.1, 0.1, 0.0)

_TABLE: dict[str, tuple[Viseme, ...]] = {
    "aa": (_AA,), "ae": (_AE,), "ah": (_AH,), "ax": (_AX,), "ao": (_AO,), "eh": (_EH,), "ih": (_IH,),
    "iy": (_IY,), "uw": (_UW,), "uh": (_UH,), "er": (_R,), "axr": (_R,), "ix": (_IH,), "r": (_R,),
    "w": (_W,),
    "ey": (_EH, _IY), "ay": (_AA, _IH), "oy": (_AO, _IH), "aw": (_AA, _UH), "ow": (_AO, _UW),
    "p": (_PB,), "b": (_PB,), "m": (_M,), "f": (_FV,), "v": (_FV,), "th": (_TH,), "dh": (_TH,),
    "t": (_TDN,), "d": (_TDN,), "n": (_TDN,), "dx": (_TDN,), "s": (_SZ,), "z": (_SZ,),
    "l": (_L,), "el": (_L,),
    "sh": (_SH,), "zh": (_SH,), "ch": (_SH,), "jh": (_SH,), "k": (_KG,), "g": (_KG,), "ng": (_KG,),
    "hh": (_HH,), "hv": (_HH,), "y": (_IY,), "en": (_TDN,), "em": (_M,), "wh": (_W,), "nx": (_TDN,),
}  # fmt: skip


def shapes(symbol: str) -> tuple[Viseme, ...]:
    """The mouth shapes of a CMU phone in order (two for diphthongs); unknown symbols get a schwa."""
    if symbol in SILENCE:
        return (_REST,)
    return _TABLE.get(symbol.rstrip("012").lower(), (_AX,))


def phone_symbols() -> list[str]:
    """Every phone that has its own shape, silence first."""
    return ["pau", *_TABLE]


def expression_names() -> list[str]:
    """Every expression that speech moves, sorted; mouthClose is solved for, not in the table."""
    used = {name for visemes in _TABLE.values() for v in visemes for name in v.weights}
    return sorted(used | {"mouthClose"})
