"""Bulk API 1.0: jobs of batches, in CSV, JSON and XML."""
