"""Analyses of tensors and plans: agreement, ranking, task trees and significance."""
