"""The API version that the descriptions follow."""

API_VERSION = "{api_version}"
