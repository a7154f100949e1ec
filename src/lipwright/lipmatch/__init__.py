"""How LipMatch, lipwright's own sync scorer, is trained: rendered mouths and synthetic voices."""
