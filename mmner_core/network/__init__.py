"""The paper's figure as PyTorch modules: attention to the image, alignment, grounding, CRF."""
