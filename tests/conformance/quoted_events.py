"""Messages with events as Salesforce sent them to others, and as the documentation shows them.

Ids of people are replaced, and fields that change nothing are left out.
"""

from typing import Any, Final

_DOCS: Final = "https://developer.salesforce.com/docs/atlas.en-us"
USER: Final = "005000000000001AAA"

# The guides show placeholders in place of ids.
CREATED: Final[dict[str, Any]] = {
    "source": f"{_DOCS}.object_reference.meta/object_reference/sforce_api_associated_objects_change_event.htm",
    "channel": "/data/AccountChangeEvent",
    "data": {
        "schema": "IeRuaY6cbI_HsV8Rv1Mc5g",
        "payload": {
            "ChangeEventHeader": {
                "entityName": "Account",
                "recordIds": ["<record_ID>"],
                "changeType": "CREATE",
                "changeOrigin": "com/salesforce/api/soap/51.0;client=SfdcInternalAPI/",
                "transactionKey": "0002343d-9d90-e395-ed20-cf416ba652ad",
                "sequenceNumber": 1,
                "commitTimestamp": 1612912679000,
                "commitNumber": 10716283339728,
                "commitUser": "<User_ID>",
            },
            "Name": "Acme",
            "CreatedDate": "2021-02-09T23:17:59Z",
        },
        "event": {"replayId": 6},
    },
}
# As sent before API version 45.0: with isTransactionEnd, and another form of the origin.
FIRST_FORM: Final[dict[str, Any]] = {
    "source": f"{_DOCS}.260.0.api_streaming.meta/api_streaming/using_streaming_api_durability.htm",
    "channel": "/data/ChangeEvents",
    "data": {
        "schema": "IeRuaY6cbI_HsV8Rv1Mc5g",
        "payload": {
            "ChangeEventHeader": {
                "entityName": "Account",
                "recordIds": ["<record_ID>"],
                "changeType": "CREATE",
                "changeOrigin": "com.salesforce.core",
                "transactionKey": "001b7375-0086-250e-e6ca-b99bc3a8b69f",
                "sequenceNumber": 1,
                "isTransactionEnd": True,
                "commitTimestamp": 1501010206653,
                "commitNumber": 92847272780,
                "commitUser": "<User_ID>",
            },
            "Name": "Acme",
        },
        "event": {"replayId": 6421},
    },
}
# The header stands among the fields, not before them.
UPDATED: Final[dict[str, Any]] = {
    "source": "https://github.com/apache/camel-kafka-connector/issues/1290",
    "channel": "/data/Employee__ChangeEvent",
    "data": {
        "schema": "-pszPCNGMHqUPU1ftkjxEA",
        "payload": {
            "LastModifiedDate": "2019-09-25T20:38:11.000Z",
            "ChangeEventHeader": {
                "commitNumber": 65840825286,
                "commitUser": USER,
                "sequenceNumber": 1,
                "entityName": "Employee__c",
                "changeType": "UPDATE",
                "changedFields": ["LastModifiedDate", "First_Name__c", "Tenure__c"],
                "changeOrigin": "com/salesforce/api/soap/47.0;client=SfdcInternalAPI/",
            },
        },
    },
}
# The origin is empty, and the commit number has outgrown a JavaScript number.
UPDATED_BY_A_FLOW: Final[dict[str, Any]] = {
    "source": "https://github.com/WorkPuma/vivaeve, MunitFiles/s15Payload.dwl of viva-sf-ng-outbound-papi",
    "channel": "/data/ServiceAppointmentChangeEvent",
    "data": {
        "schema": "nTowGbw-ipH4sznrGpeohg",
        "payload": {
            "LastModifiedDate": "2024-09-03T09:56:05.000Z",
            "ActualDuration": 0.0,
            "StatusCategory": "Canceled",
            "ChangeEventHeader": {
                "commitNumber": 1725357365187780609,
                "commitUser": USER,
                "sequenceNumber": 1,
                "entityName": "ServiceAppointment",
                "changeType": "UPDATE",
                "changedFields": ["LastModifiedDate", "ActualDuration", "StatusCategory"],
                "changeOrigin": "",
                "transactionKey": "0000a62a-5497-10e0-dbe3-e99b71589a49",
                "commitTimestamp": 1725357365000,
                "recordIds": ["08p000000000001AAA"],
            },
        },
        "event": {"replayId": 2142496},
    },
}
# The fields are there, and say nothing.
GAP: Final[dict[str, Any]] = {
    "source": f"{_DOCS}.change_data_capture.meta/change_data_capture/cdc_other_events_gap.htm",
    "channel": "/data/AccountChangeEvent",
    "data": {
        "schema": "IeRuaY6cbI_HsV8Rv1Mc5g",
        "payload": {
            "ChangeEventHeader": {
                "entityName": "Account",
                "recordIds": ["001ZM000001n4n5YAA"],
                "changeType": "GAP_CREATE",
                "changeOrigin": "",
                "transactionKey": "000a50de-05dd-07c4-22fb-44b7f9e72ab5",
                "sequenceNumber": 19,
                "commitTimestamp": 1714417112000,
                "commitNumber": 72784468115,
                "commitUser": "005ZM000000Q6ipYAC",
                "nulledFields": [],
                "diffFields": [],
                "changedFields": [],
            },
            "Name": None,
            "BillingAddress": None,
        },
        "event": {"replayId": 7},
    },
}
OVERFLOW: Final[dict[str, Any]] = {
    "source": f"{_DOCS}.change_data_capture.meta/change_data_capture/cdc_other_events_overflow.htm",
    "channel": "/data/ChangeEvents",
    "data": {
        "schema": "IeRuaY6cbI_HsV8Rv1Mc5g",
        "payload": {
            "ChangeEventHeader": {
                "entityName": "Account",
                "recordIds": ["000000000000000AAA"],
                "changeType": "GAP_OVERFLOW",
                "changeOrigin": "com/salesforce/api/soap/61.0;client=Workbench/",
                "transactionKey": "000a5148-405c-21fe-86ce-03205d7404ad",
                "sequenceNumber": 6,
                "commitTimestamp": 1714417568000,
                "commitNumber": 72784848482,
                "commitUser": "005ZM000000M6o1YAC",
                "nulledFields": [],
                "diffFields": [],
                "changedFields": [],
            },
            "Name": None,
        },
        "event": {"replayId": 8},
    },
}
# Described, not shown: a field was converted, so that any record may have lost data.
WILDCARD: Final[dict[str, Any]] = {
    "source": f"{_DOCS}.change_data_capture.meta/change_data_capture/cdc_field_conversion_single_event.htm",
    "channel": "/data/AccountChangeEvent",
    "data": {
        "schema": "IeRuaY6cbI_HsV8Rv1Mc5g",
        "payload": {
            "ChangeEventHeader": {"entityName": "Account", "recordIds": ["001*"], "changeType": "UPDATE"},
        },
        "event": {"replayId": 9},
    },
}
LOW_INK: Final[dict[str, Any]] = {
    "source": f"{_DOCS}.260.0.api_streaming.meta/api_streaming/using_streaming_api_durability.htm",
    "channel": "/event/Low_Ink__e",
    "data": {
        "schema": "dffQ2QLzDNHqwB8_sHMxdA",
        "payload": {
            "CreatedDate": "2023-04-09T18:31:40.517Z",
            "CreatedById": "005D0000001cSZs",
            "Printer_Model__c": "XZO-5",
            "Serial_Number__c": "12345",
            "Ink_Percentage__c": 0.2,
        },
        "event": {"EventUuid": "2ec0e371-1395-457f-9275-be1b527a72f7", "replayId": 2112},
    },
}
# The beta's form: the schema beside the replay id, no uuid, and fields for what stands elsewhere.
LOW_INK_OF_THE_BETA: Final[dict[str, Any]] = {
    "source": f"{_DOCS}.206.0.platform_events.meta/platform_events/platform_events_subscribe_cometd.htm",
    "channel": "/event/Low_Ink__e",
    "data": {
        "payload": {
            "CreatedById": "005D0000001WHiZ",
            "ReplayId": None,
            "CreatedDate": "2016-12-14T20:08:19Z",
            "Printer_Model__c": "MN-123",
            "Id": None,
            "Serial_Number__c": "10013",
            "Ink_Percentage__c": 0.15,
        },
        "event": {"schema": "_c1_d37defc8cfbf44229cbd4fe82167be19", "replayId": 1},
    },
}
PUSH_TOPIC: Final[dict[str, Any]] = {
    "source": f"{_DOCS}.202.0.api_streaming.meta/api_streaming/using_streaming_api_durability.htm",
    "channel": "/topic/InvoiceStatementUpdates",
    "data": {
        "event": {"createdDate": "2016-03-29T16:40:08.208Z", "replayId": 13, "type": "created"},
        "sobject": {"Name": "INV-0001", "Id": "a00D0000008o6y8IAA", "Status__c": "Open"},
    },
}
# Until API version 36.0 times ended with an offset.
PUSH_TOPIC_WITH_AN_OFFSET: Final[dict[str, Any]] = {
    "source": "https://developer.salesforce.com/docs/atlas.ja-jp.api_streaming.meta/api_streaming/pushtopic_queries.htm",
    "channel": "/topic/InvoiceStatementUpdates",
    "data": {
        "event": {"createdDate": "2016-03-29T16:40:08.208+0000", "type": "updated"},
        "sobject": {"Id": "a00D0000008o6y8IAA"},
    },
}
GENERIC: Final[dict[str, Any]] = {
    "source": f"{_DOCS}.202.0.api_streaming.meta/api_streaming/using_streaming_api_durability.htm",
    "channel": "/u/TestStreaming",
    "data": {
        "event": {"createdDate": "2016-03-29T19:05:28.334Z", "replayId": 55},
        "payload": "This is a message.",
    },
}

ALL: Final = (
    CREATED,
    FIRST_FORM,
    UPDATED,
    UPDATED_BY_A_FLOW,
    GAP,
    OVERFLOW,
    WILDCARD,
    LOW_INK,
    LOW_INK_OF_THE_BETA,
    PUSH_TOPIC,
    PUSH_TOPIC_WITH_AN_OFFSET,
    GENERIC,
)
