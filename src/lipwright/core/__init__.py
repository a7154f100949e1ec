"""Contracts, exact time, errors, names, files: what every step shares."""
