"""The mouth's landmarks made consistent over one person's footage: the same picture, the same points.

A tracker that has never seen this person puts the lips of one and the same mouth shape here in one frame and
there in another, and smoothing its jitter flattens fast closures. The footage itself tells better: look-alike
mouths are registered with each other (`register`), and the points become a function of the picture
(`appearance`), learnt on other moments of the footage (`refine`).
"""
