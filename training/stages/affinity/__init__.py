"""Stage 3: affinities from the losses of transfers."""
