"""The Transfers tab: a target read out from other tasks' encoders, beside what it competes with."""
