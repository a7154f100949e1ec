"""English sentences without end: a small grammar over words that between them use every sound."""

from __future__ import annotations

import numpy as np

_WHO = (
    "the minister|my brother|her mother|a farmer|the whole family|the company|our neighbour|the young judge|a painter|"
    "the village|his father|the committee|a famous boxer|the baker|everybody|the pilot|a shy girl|the museum|five men|"
    "the government|a tall woman|the weather office|their teacher|the new mayor|nobody"
)
_DOES = (
    "moved|bought|opened|measured|watched|believed in|joined|promised|followed|improved|found|wrote about|threw away|"
    "saw|chose|sold|brought|prepared for|laughed about|remembered|visited|warmed|shook|pushed|examined|avoided"
)
_WHAT = (
    "the paper boat|a big yellow bridge|some warm bread|the memory of summer|five purple apples|an empty office|"
    "the church window|a wonderful voice|the number of votes|a pair of shoes|the market price|a bowl of soup|"
    "the film about wolves|those young birds|a garden full of flowers|the measure of pleasure|a beautiful picture|"
    "the mountain path|fresh fish|an unusual question|the joy of music|thirty thousand people|the thin blue book"
)
_WHERE = (
    "in the morning|before noon|by the river|above the village|for the first time|without a doubt|through the winter|"
    "near the old harbour|after the vote|during the break|on Thursday|with great care|at the end of the road|"
    "because of the rain|over the weekend|in a very small room|"
)
_OPENERS = ("", "", "", "However, ", "Maybe ", "Of course, ", "This evening, ", "As far as we know, ", "Both times, ")
_WORDS_PER_S = 3.2


def text_lasting(rng: np.random.Generator, seconds: float) -> str:
    """Whole sentences that take an English voice about so long."""
    return text_of(rng, round(seconds * _WORDS_PER_S))


def text_of(rng: np.random.Generator, words: int) -> str:
    """At least `words` words in whole sentences."""
    sentences: list[str] = []
    while sum(len(s.split()) for s in sentences) < words:
        sentences.append(_sentence(rng))
    return " ".join(sentences)


def _sentence(rng: np.random.Generator) -> str:
    def one(bag: str) -> str:
        return str(rng.choice(bag.split("|")))

    said = str(rng.choice(_OPENERS)) + " ".join([one(_WHO), one(_DOES), one(_WHAT), one(_WHERE)]).strip()
    if rng.random() < 0.35:
        said += f", and {one(_WHO)} {one(_DOES)} {one(_WHAT)}"
    return said[0].upper() + said[1:] + str(rng.choice([".", ".", ".", "?", "!"]))
