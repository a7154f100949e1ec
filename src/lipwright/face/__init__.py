"""Frames to landmarks, pose, contour and aligned crops."""
