"""The contrastive space: retrieval, geometry, projection to two dimensions."""
