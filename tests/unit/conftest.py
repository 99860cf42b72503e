"""Puts this folder on the path, for the servers that the tests in its subfolders share."""
