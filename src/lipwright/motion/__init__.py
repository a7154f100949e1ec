"""Speech features and template conditions to landmarks."""
