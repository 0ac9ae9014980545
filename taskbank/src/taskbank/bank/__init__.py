"""Banks: folders of trained networks with an index, from disk or from a Hub."""
