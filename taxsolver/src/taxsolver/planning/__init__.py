"""Plans: the problem, the integer program, and the taxonomies that solve it."""
