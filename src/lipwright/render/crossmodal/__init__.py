"""System D: speech and the upper face to a head and a mouth picture in one small network."""
