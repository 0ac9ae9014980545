"""Training code shared by the stages: samples, batches, targets, losses, augmentation."""
