"""Footage to a prepared Subject folder."""
