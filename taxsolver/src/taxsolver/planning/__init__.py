"""Planning: the problem, and the taxonomies that solve it."""
