"""Panels: the parts that the app's tabs and the report show of a run, each with table, figure and provenance."""

from analysis.panels.panel import Panel, PanelKind

__all__ = ["Panel", "PanelKind"]
