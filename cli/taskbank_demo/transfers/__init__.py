"""The Transfers tab: a target read out from other tasks' encoders, compared with baselines."""
