"""The bundle: save, load, check."""
