"""Real frames with measured depth: read, labelled, and cut into views for a store."""
