"""The 34 viseme channels and what each phone does to them.

Channels are those of the sliders of the JALI rig (Edwards, Landreth, Fiume & Singh, "JALI: an animator-centric viseme
model for expressive lip synchronization", SIGGRAPH 2016): 11 vowels, 11 consonants, 10 consonants that leave the jaw
to the vowels around, and the two axes Jaw and Lip. No source lists which phone drives which; the table is ours, by
place of articulation and rounding (International Phonetic Association, Handbook, 1999).
"""

from __future__ import annotations

from dataclasses import dataclass

from lipwright.speech.exact import label_of
from lipwright.speech.phones import CLASSES, phone_rows

VOWELS = ("Ih", "Ee", "Eh", "Aa", "U", "Uh", "Oo", "Oh", "Schwa", "Eu", "Ah")
CONSONANTS = ("M", "BP", "JY", "Th", "ShChZh", "SZ", "GK", "LNTD", "R", "W", "FV")
JAWLESS = ("Ya", "Ja", "Ra", "FVa", "LNTDa", "Ma", "BPa", "Wa", "Tha", "GKa")
CHANNELS: tuple[str, ...] = (*VOWELS, *CONSONANTS, *JAWLESS, "Jaw", "Lip")
"""Names in the order of the 34 columns; all values in [0, 1]."""
EXAMPLES: dict[str, str] = {
    "Ih": "sit", "Ee": "see", "Eh": "bed", "Aa": "cat", "U": "too", "Uh": "cut", "Oo": "book", "Oh": "law",
    "Schwa": "about", "Eu": "bird", "Ah": "father", "M": "man", "BP": "bay, pay", "JY": "job, yes", "Th": "thin, this",
    "ShChZh": "she, chin", "SZ": "sea, zoo", "GK": "go, key", "LNTD": "lay, no", "R": "red", "W": "we",
    "FV": "fan, van", "Jaw": "opening", "Lip": "effort",
}  # fmt: skip
"""An English word with the sound of each channel, or what it tells; jawless channels share those of their consonant."""
PLAIN_OF = {"Ya": "JY", "Ja": "JY", **{name: name[:-1] for name in JAWLESS if name not in ("Ya", "Ja")}}
"""Jawless channel to the channel of the same consonant elsewhere."""
INDEX = {name: column for column, name in enumerate(CHANNELS)}
SEALING = [INDEX[name] for name in ("M", "BP", "FV", "Ma", "BPa", "FVa")]
"""Columns of the channels in which lips meet each other or the teeth."""
JAW, LIP = INDEX["Jaw"], INDEX["Lip"]

Weights = dict[str, float]


@dataclass(frozen=True)
class Shape:
    """What a phone does: one part, or two for diphthongs (first and last target)."""

    label: str
    """ARPAbet; 'AX' is schwa."""
    parts: tuple[Weights, ...]
    """Channel to weight; empty for phones that take the shape of what follows (HH) and for silence."""
    between: Weights
    """Instead of the first part when the phone stands between two vowels; empty when it has no jawless variant."""
    jaw: tuple[float, ...]
    """Opening of each part, 0 to 1."""
    lip: tuple[float, ...]
    """Effort of the lips of each part (rounding, spreading or closing), 0 to 1."""

    @property
    def vowel(self) -> bool:
        """Whether it is one."""
        return self.label in _VOWEL_PARTS

    @property
    def seals(self) -> bool:
        """Whether the lips must meet each other (P B M) or the teeth (F V): nothing may dilute it."""
        return self.label in _SEALS

    @property
    def insists(self) -> bool:
        """Whether jaw and lips must be near their target to make the sound: sibilants and W."""
        return self.label in _INSISTS

    @property
    def tongue_only(self) -> bool:
        """Whether it is made behind the lips, which keep the shape of the vowels around (T D N L K G NG HH TH DH)."""
        return self.label in _TONGUE

    @property
    def lipless(self) -> bool:
        """Whether the lips are free while it sounds: tongue only, S and Z (which need the jaw), and HH."""
        return self.tongue_only or self.label in CLASSES["sibilant"].split() or self.label == "HH"

    @property
    def rounded(self) -> bool:
        """Whether its rounding begins early and ends late (UW OW OY UH AO W SH ZH CH JH)."""
        return self.label in _ROUNDED


_VOWEL_PARTS: dict[str, tuple[Weights, ...]] = {
    # front vowels, from close and spread to open
    "IY": ({"Ee": 1.0},),
    "IH": ({"Ih": 1.0},),
    "EH": ({"Eh": 1.0},),
    "AE": ({"Aa": 1.0},),
    # central and back without rounding
    "AA": ({"Ah": 1.0},),
    "AH": ({"Uh": 1.0},),
    "AX": ({"Schwa": 1.0},),
    # rounded: UW closest and tightest, UH laxer, AO open; ER is a central vowel with protruded lips
    "UW": ({"U": 1.0},),
    "UH": ({"Oo": 1.0},),
    "AO": ({"Oh": 1.0},),
    "ER": ({"Eu": 1.0, "R": 0.4},),
    # diphthongs: from the first target to the second, which speech rarely reaches
    "EY": ({"Eh": 1.0}, {"Ee": 0.8}),
    "AY": ({"Ah": 1.0}, {"Ih": 0.8}),
    "AW": ({"Ah": 1.0}, {"Oo": 0.8}),
    "OW": ({"Oh": 1.0}, {"U": 0.8}),
    "OY": ({"Oh": 1.0}, {"Ih": 0.8}),
}
_CONSONANT_PARTS: dict[str, tuple[Weights, Weights]] = {
    # (ordinary, between two vowels)
    "P": ({"BP": 1.0}, {"BPa": 1.0}),
    "B": ({"BP": 1.0}, {"BPa": 1.0}),
    "M": ({"M": 1.0}, {"Ma": 1.0}),
    "F": ({"FV": 1.0}, {"FVa": 1.0}),
    "V": ({"FV": 1.0}, {"FVa": 1.0}),
    "TH": ({"Th": 1.0}, {"Tha": 1.0}),
    "DH": ({"Th": 1.0}, {"Tha": 1.0}),
    "T": ({"LNTD": 1.0}, {"LNTDa": 1.0}),
    "D": ({"LNTD": 1.0}, {"LNTDa": 1.0}),
    "N": ({"LNTD": 1.0}, {"LNTDa": 1.0}),
    "L": ({"LNTD": 1.0}, {"LNTDa": 1.0}),
    "S": ({"SZ": 1.0}, {}),  # the teeth of a sibilant must be together: no jawless variant
    "Z": ({"SZ": 1.0}, {}),
    "SH": ({"ShChZh": 1.0}, {}),
    "ZH": ({"ShChZh": 1.0}, {}),
    "CH": ({"ShChZh": 1.0}, {}),
    "JH": ({"JY": 0.6, "ShChZh": 0.8}, {"Ja": 0.6, "ShChZh": 0.8}),  # the letter J: as CH, with the channel of its name
    "Y": ({"JY": 1.0}, {"Ya": 1.0}),
    "K": ({"GK": 1.0}, {"GKa": 1.0}),
    "G": ({"GK": 1.0}, {"GKa": 1.0}),
    "NG": ({"GK": 1.0}, {"GKa": 1.0}),
    "R": ({"R": 1.0}, {"Ra": 1.0}),
    "W": ({"W": 1.0}, {"Wa": 1.0}),
    "HH": ({}, {}),  # breath through the shape of the next vowel
}
_SECOND = {"EY": "IY", "AY": "IH", "AW": "UH", "OW": "UW", "OY": "IH"}
"""The vowel near which a diphthong ends."""
_FIRST = {"EY": "EH", "AY": "AA", "AW": "AA", "OW": "AO", "OY": "AO"}
_SEALS = frozenset((CLASSES["bilabial"] + " " + CLASSES["labiodental"]).split())
BILABIAL = frozenset(CLASSES["bilabial"].split())
_INSISTS = frozenset((CLASSES["sibilant"] + " " + CLASSES["postalveolar"] + " W").split())
_TONGUE = frozenset((CLASSES["alveolar"] + " " + CLASSES["velar"] + " " + CLASSES["dental"]).split())
_ROUNDED = frozenset(("UW", "OW", "OY", "UH", "AO", "W", *CLASSES["postalveolar"].split()))
_SPREAD = 0.7
"""Effort of full spreading against full rounding: lips move less."""
SILENCE = "SIL"


def label(symbol: str) -> str:
    """The label of the table for any symbol a `PhoneTime` may carry; 'SIL' for silence.

    Reduced vowels (AX, IX, and AH without stress) are schwa.
    """
    bare = symbol.upper()
    return "AX" if bare in ("AX", "AX0", "IX", "AH0") else label_of(symbol)


def _shape(name: str) -> Shape:
    vowel = name in _VOWEL_PARTS
    parts = _VOWEL_PARTS[name] if vowel else (_CONSONANT_PARTS[name][0],)
    between = {} if vowel else _CONSONANT_PARTS[name][1]
    nearest = {"AX": "AH"}.get(name, name)
    targets = [_FIRST.get(name, nearest), _SECOND[name]] if len(parts) > 1 else [nearest]
    jaw, rounding, spreading = phone_rows(targets)[:, -3:].T.tolist()
    lip = [1.0 if name in _SEALS else max(r, _SPREAD * s) for r, s in zip(rounding, spreading, strict=True)]
    scale = 0.7 if name == "AX" else 1.0  # schwa is a smaller movement of the same kind
    return Shape(name, parts, between, tuple(scale * j for j in jaw), tuple(scale * x for x in lip))


SHAPES: dict[str, Shape] = {name: _shape(name) for name in (*_VOWEL_PARTS, *_CONSONANT_PARTS)}
"""Every label but silence."""
