"""Models of others behind our tasks: an adapter per class, outputs in our kinds, units and axes."""

from taskbank.foundation.estimator import Estimator, load_estimators

__all__ = ["Estimator", "load_estimators"]
