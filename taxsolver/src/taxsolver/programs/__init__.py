"""Integer programs of a plan, their bare numbers, and exact costs; `highs.py` alone knows HiGHS."""
