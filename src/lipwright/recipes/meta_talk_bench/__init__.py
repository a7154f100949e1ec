"""The comparison of `meta-talk` with AudioDVP, Wav2Lip and others, in the layout of Meta Talk's table."""
