"""Stage 2: what can be read out of which tasks' representations."""
