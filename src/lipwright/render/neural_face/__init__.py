"""Meta Talk's neural face renderer: drawings of a morphable face, seven frames of them, to a photoreal lower face."""
