"""Labels in the files and codes of the Taskonomy data set."""
