"""Stage 2: transfers from the representations of tasks to other tasks."""
