"""Festival's voices, recorded from real people, as speech with exact phone times: what formant synthesis lacks."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lipwright.core.errors import DependencyError, SpeechError
from lipwright.speech.tts import Phone, Speech
from lipwright.speech.wav import read_pcm

VOICES = Path("/usr/share/festival/voices")
_ROMANCE = (
    "i:iy e:ey E:eh a:aa o:ow O:ao u:uw j:y w:w p:p t:t k:k b:b d:d g:g f:f s:s S:sh v:v z:z Z:zh ts:t+s tS:ch dz:d+z "
    "dZ:jh m:m n:n J:n ng:ng nf:f l:l L:y r:r rr:r ax:ax x:hh"
)
_FINNISH = (
    "a:aa e:ey i:iy o:ow u:uw y:uw @:ae 7:ow &:ax p:p t:t k:k b:b d:d g:g f:f T:th D:dh s:s z:z S:sh Z:zh h:hh v:v m:m "
    "n:n N:ng l:l L:y r:r j:y w:w"
)
_CZECH = (
    "a:aa b:b c:t+s c~:ch ch:hh d:d d~:g dz:d+z dz~:jh e:eh f:f g:g h:hh i:iy j:y k:k l:l m:m n:n n*:ng n~:n o:ow p:p "
    "r:r r~:zh r~*:sh s:s s~:sh t:t t~:k u:uw v:v z:z z~:zh"
)
_RUSSIAN = (
    "ii:iy yy:ih uu:uw ee:eh oo:ao aa:aa a:ah e:ih i:ih y:ih u:uh ae:ax ay:ax ur:uh p:p pp:p b:b bb:b t:t tt:t d:d "
    "dd:d k:k kk:k g:g gg:g c:t+s ch:ch f:f ff:f v:v vv:v s:s ss:s z:z zz:z sh:sh sch:sh zh:zh h:hh hh:hh m:m mm:m n:n "
    "nn:n l:l ll:l r:r rr:r j:y"
)
_INDIC = (
    "a:ah aa:aa ih:ih iy:iy uh:uh uw:uw eh:eh ee:ey ay:ay oh:ao oo:ow aw:aw f:f k:k g:g ch:ch T:t D:d N:n th:t dh:d "
    "p:p b:b m:m y:y r:r l:l v:v L:l R:r s:s sh:sh j:jh h:hh ksh:k+sh sri:s+r+iy x:k+s kh:k gh:g td:t tth:t ddh:d bh:b "
    "zh:l @:ax w:v"
)
_ENGLISH = "hv:hh brth:pau h#:pau"
"""Other symbols of the English voices are CMU's; 'axr', 'dx', 'el' and the like `speech.exact.label_of` knows."""


@dataclass(frozen=True)
class FestivalVoice:
    """How one voice is asked and read."""

    package: str
    """Debian package that installs it."""
    encoding: str
    """Of the text."""
    symbols: str
    """'its symbol:CMU symbols joined by +', separated by spaces."""


KNOWN: dict[str, FestivalVoice] = {
    "kal_diphone": FestivalVoice("festvox-kallpc16k", "ascii", _ENGLISH),
    "ked_diphone": FestivalVoice("festvox-kdlpc16k", "ascii", _ENGLISH),
    "cmu_us_slt_arctic_hts": FestivalVoice("festvox-us-slt-hts", "ascii", _ENGLISH),
    "lp_diphone": FestivalVoice("festvox-italp16k", "iso-8859-1", _ROMANCE),
    "pc_diphone": FestivalVoice("festvox-itapc16k", "iso-8859-1", _ROMANCE),
    "hy_fi_mv_diphone": FestivalVoice("festvox-suopuhe-mv", "iso-8859-1", _FINNISH),
    "suo_fi_lj_diphone": FestivalVoice("festvox-suopuhe-lj", "iso-8859-1", _FINNISH),
    "czech_ph": FestivalVoice("festvox-czech-ph", "iso-8859-2", _CZECH),
    "czech_dita": FestivalVoice("festvox-czech-dita", "iso-8859-2", _CZECH),
    "czech_krb": FestivalVoice("festvox-czech-krb", "iso-8859-2", _CZECH),
    "czech_machac": FestivalVoice("festvox-czech-machac", "iso-8859-2", _CZECH),
    "msu_ru_nsh_clunits": FestivalVoice("festvox-ru", "utf-8", _RUSSIAN),
    "hindi_NSK_diphone": FestivalVoice("festvox-hi-nsk", "utf-8", _INDIC),
    "marathi_NSK_diphone": FestivalVoice("festvox-mr-nsk", "utf-8", _INDIC),
    "telugu_NSK_diphone": FestivalVoice("festvox-te-nsk", "utf-8", _INDIC),
    "upc_ca_ona_hts": FestivalVoice("festvox-ca-ona-hts", "iso-8859-1", _ROMANCE),
}


def require(names: Sequence[str]) -> None:
    """DependencyError that names the packages of the voices that are missing."""
    there = {p.name for p in VOICES.glob("*/*")} if shutil.which("festival") else set()
    missing = sorted({KNOWN[name].package for name in names if name not in there})
    if missing:
        raise DependencyError(
            f"festival voices are missing; run 'apt install festival {' '.join(missing)}' "
            "(with festival-hi festival-te festival-mr for the Indian ones)"
        )


def speak(texts: Sequence[str], voice: str, rate: float = 1.0) -> list[Speech]:
    """One Speech per text that the voice says anything for; SpeechError when festival fails."""
    known = KNOWN[voice]
    table = dict(pair.rsplit(":", 1) for pair in known.symbols.split())
    with tempfile.TemporaryDirectory() as folder:
        lines = [f"(voice_{voice})", f"(Parameter.set 'Duration_Stretch {1 / rate:.3f})"]
        for k, text in enumerate(texts):
            said = re.sub(r'["\\]', "", text)
            lines += [
                f'(set! u (SynthText "{said}"))',
                f'(utt.save.wave u "{folder}/{k}.wav" \'riff)',
                f'(utt.save.segs u "{folder}/{k}.segs")',
            ]
        script = Path(folder) / "job.scm"
        script.write_bytes("\n".join(lines).encode(known.encoding, "ignore"))
        done = subprocess.run(["festival", "-b", str(script)], capture_output=True, check=False)
        found = [_read(Path(folder) / str(k), table) for k in range(len(texts))]
    if not any(found):
        raise SpeechError(f"festival voice '{voice}' said nothing ({done.stderr.decode('utf-8', 'ignore')[-200:]})")
    return [speech for speech in found if speech is not None]


def _read(stem: Path, table: dict[str, str]) -> Speech | None:
    if not stem.with_suffix(".wav").is_file() or not stem.with_suffix(".segs").is_file():
        return None
    samples, rate = read_pcm(stem.with_suffix(".wav"), "festival")
    phones: list[Phone] = []
    last = 0.0
    for line in stem.with_suffix(".segs").read_text(encoding="latin-1").splitlines():
        fields = line.split()
        if len(fields) < 3:
            continue
        end = min(float(fields[0]), len(samples) / rate)
        symbols = _cmu(fields[2], table)
        for k, symbol in enumerate(symbols):
            a, b = (last + (end - last) * (k + j) / len(symbols) for j in (0, 1))
            phones.append(Phone(symbol, a, b))
        last = max(end, last)
    return Speech(samples, rate, tuple(phones)) if last > 0 else None


def _cmu(symbol: str, table: dict[str, str]) -> list[str]:
    if symbol in ("#", "##", "_", "pau", "h#"):
        return ["pau"]
    bare = symbol.rstrip(":1") or symbol
    return table.get(symbol, table.get(bare, bare)).split("+")
