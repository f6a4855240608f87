"""The export verb: a chosen trial as a folder or a zip that proves itself."""

from moopt.export.bundle import Export, export_trial, make_export

__all__ = ["Export", "export_trial", "make_export"]
