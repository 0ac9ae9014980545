"""Integer programs of a plan, their numeric instances, and exact costs; only `highs.py` uses HiGHS."""
