"""Cameras: positions in a room, and effects of lens, sensor and JPEG on pictures."""
