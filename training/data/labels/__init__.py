"""Labels of the dataset's domains, computed from geometry and from pixels."""

ORIGINAL_SIZE = 512
"""Side in px of the pictures whose labels the original networks learned."""

STEPS_PER_METRE = 512
"""Steps per metre of depth in 16 bits."""
