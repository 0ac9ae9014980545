"""Stage 4: plans from the affinities, and how they compare with the published ones."""
