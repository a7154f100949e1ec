"""How the recogniser of articulation is trained and measured: synthetic voices in many languages, rooms, noises."""
