"""One training loop: budget, progress, checkpoints, exact resume."""
