"""Image translation (systems A and B): a facial map to a photographic face, trained per person."""
