"""The command `taxsolver`: parse, one library call, print."""
