"""Cameras: their places in a room, and the effects of lens, sensor and JPEG file on a picture."""
