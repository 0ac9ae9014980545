"""Side-by-side programs: each prints one table, as ratios in one run."""
