"""What all stages that train networks share: samples, batches, targets, losses, augmentation."""
