"""Paper B's Table 1 and the poster's comparison, trained and timed: `lipwright bench motion`."""
