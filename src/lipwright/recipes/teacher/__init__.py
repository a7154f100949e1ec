"""Meta Talk's teacher: small video of the person saying what others said, and the expression in it (SPEC 5)."""
