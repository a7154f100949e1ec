"""Face patches back into template frames; template extension."""
