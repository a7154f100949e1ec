"""Image translation (systems A and B): a facial map to a photographic face, trained per person.

geometry (where crop and hull are) -> facial_map (what the network sees) -> networks -> Patch (renderer);
data and task train it: generator against discriminators, losses in losses and perceptual.
"""
