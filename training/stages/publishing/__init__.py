"""Stage 7, second half: the bank with its card and figures, checked and copied into the package."""
