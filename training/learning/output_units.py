"""Units of outputs, of `taskbank.learning.output_units`."""

from taskbank.learning.output_units import OutputUnits, has_units, measured_rows, measured_units

__all__ = ["OutputUnits", "has_units", "measured_rows", "measured_units"]
