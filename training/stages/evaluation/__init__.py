"""Stage 7: how good a bank is, on rendered rooms and on real frames, in the measures people know."""
