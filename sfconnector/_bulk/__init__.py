"""Bulk API 2.0: jobs that write and read any number of records."""
