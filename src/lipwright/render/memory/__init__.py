"""The appearance memory: real mouths of the footage, found, warped, relit and blended; no training."""
