"""Infrastructure of training stages: settings, presets, markers, checkpoints and engines."""
