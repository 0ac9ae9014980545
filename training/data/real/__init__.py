"""Real frames with measured depth: reading, labelling, and square views for a store."""
