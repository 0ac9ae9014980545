"""Stage 1: one network for each task, with one form of encoder."""
