"""A linear face with five separate groups of coefficients: geometry, texture, expression, pose and light."""
