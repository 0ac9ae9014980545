"""Ray tracing: rays and the nearest surfaces that they hit."""
