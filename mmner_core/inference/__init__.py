"""Tags sentences with a trained model, one by one or in batches, with images or without."""
