"""A user's own task: probe encoders, train the best read-outs, measure them, save them as a bank."""
