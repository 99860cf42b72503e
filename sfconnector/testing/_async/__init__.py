"""Bulk API 1.0 of the local org, below ``/services/async``: jobs, batches and their results, as CSV, XML and JSON.

https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-intro.html
"""
