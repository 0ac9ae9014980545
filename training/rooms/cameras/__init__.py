"""Where cameras stand in a room, and what a lens, a sensor and a file make of their light."""
