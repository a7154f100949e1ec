"""Weights that the neural face renderer begins from: learnt on rendered people, before it meets a person."""
