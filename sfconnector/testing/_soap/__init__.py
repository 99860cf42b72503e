"""The SOAP API of the local org, partner and enterprise.

https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_quickstart_intro.htm
"""
