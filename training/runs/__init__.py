"""How a stage of training runs: settings, presets, markers, checkpoints and engines."""
