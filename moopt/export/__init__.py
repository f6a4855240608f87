"""The export verb: a chosen trial as a folder or a zip that proves itself."""

from moopt.export.bundle import Export, canonical_json, export_trial, export_zip, make_export

__all__ = ["Export", "canonical_json", "export_trial", "export_zip", "make_export"]
