"""One file per system: which parts, which numbers."""
