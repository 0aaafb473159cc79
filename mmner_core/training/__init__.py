"""Training: loop, batching, augmentation."""
