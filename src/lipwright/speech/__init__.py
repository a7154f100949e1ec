"""Samples to features at the video rate; phones; text to speech."""
