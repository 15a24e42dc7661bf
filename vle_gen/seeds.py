"""Seeds of random numbers."""

MOST_SEED = 2**62  # of a 64-bit generator, with room for the next seeds of several pictures
