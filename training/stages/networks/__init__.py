"""Stage 1: training of one network per task, all with the same encoder architecture."""
