"""The Live tab: every task on a photograph, or on two or three."""
