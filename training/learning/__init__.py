"""Training code that the stages share: samples, batches, targets, losses, augmentation."""
