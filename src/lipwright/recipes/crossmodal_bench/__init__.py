"""Ablations of `virtual-human` (paper D, section on experiments) as rows of one resumable table."""
