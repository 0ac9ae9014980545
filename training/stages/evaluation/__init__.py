"""Stage 7: evaluation of a bank on rendered rooms and on real frames, with common measures."""
