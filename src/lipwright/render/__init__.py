"""Wanted landmarks and template frames to face patches."""
