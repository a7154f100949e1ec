"""Wav2Lip's networks: a generator of low-definition mouths that understands every voice, and its two judges."""
