"""Panels: what the app's tabs and the report show of a run, each with its table, figure and provenance."""

from analysis.panels.panel import Panel
from analysis.panels.sections import Section, sections

__all__ = ["Panel", "Section", "sections"]
