"""Third-party models for our tasks: one adapter per model class, outputs in our kinds, units and axes."""

from taskbank.foundation.estimator import Estimator, load_estimators

__all__ = ["Estimator", "load_estimators"]
