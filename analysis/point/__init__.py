"""Where heat maps point: into annotated boxes, and at the right photo of several (:mod:`mmner_core.photos.mosaics`)."""
