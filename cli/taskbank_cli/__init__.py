"""The `taskbank` command: each file is one subcommand that parses, calls the library once and prints."""
