"""Pure functions: one number out of two arrays."""
