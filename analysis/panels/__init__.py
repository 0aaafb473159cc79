"""Panels: what the app's tabs and the report show of a run, each with its table, figure and provenance."""

from analysis.panels.panel import Panel, PanelKind

__all__ = ["Panel", "PanelKind"]
