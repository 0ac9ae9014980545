"""Training of networks that read targets out of representations: losses, constants, steps."""
