"""The static report of a run: one HTML file that works from disk, and every table as LaTeX and CSV."""

from analysis.report.document import Document, collect
from analysis.report.html import write_html
from analysis.report.tables import write_csv, write_latex

__all__ = ["Document", "collect", "write_csv", "write_html", "write_latex"]
