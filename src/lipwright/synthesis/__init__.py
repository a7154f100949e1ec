"""Persona and speech to composed frames: chunked, overlapped, constant memory."""
