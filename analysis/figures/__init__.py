"""Figures from plain tables; the only place that imports plotly.

Every function takes a table of the analysis and returns a figure in the workbench's light template;
:func:`in_scheme` turns it dark. No figure fetches anything, and no text of a user is read as markup.
"""

from analysis.figures.bars import modality_bars, outcome_bars, score_bars, shapley_bars, slice_dots, taxonomy_bars
from analysis.figures.curves import (
    cosine_histogram,
    deletion_curves,
    reliability_diagram,
    severity_lines,
    threshold_curves,
)
from analysis.figures.export import figure_json, figure_page, library_script, template_json
from analysis.figures.matrix import confusion_matrix
from analysis.figures.scatter import space_map
from analysis.figures.theme import in_scheme
from analysis.figures.transfer import transfer_matrix

__all__ = [
    "confusion_matrix",
    "cosine_histogram",
    "deletion_curves",
    "figure_json",
    "figure_page",
    "in_scheme",
    "library_script",
    "modality_bars",
    "outcome_bars",
    "reliability_diagram",
    "score_bars",
    "severity_lines",
    "shapley_bars",
    "slice_dots",
    "space_map",
    "taxonomy_bars",
    "template_json",
    "threshold_curves",
    "transfer_matrix",
]
