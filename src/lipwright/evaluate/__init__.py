"""Protocols, controls and reports over the metrics."""
