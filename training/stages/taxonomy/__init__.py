"""Stage 4: plans from the affinities, and their comparison with the published ones."""
