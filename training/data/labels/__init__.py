"""Labels of the dataset's domains: out of geometry, and out of pixels."""

ORIGINAL_SIZE = 512
"""Side in px of the pictures whose labels the original networks learned."""

STEPS_PER_METRE = 512
"""Of depth in 16 bits."""
