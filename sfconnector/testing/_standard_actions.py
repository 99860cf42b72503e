"""The standard actions that the org can run: they send into its `Outbox`.

https://developer.salesforce.com/docs/platform/api-rest/guide/resources-actions-invocable-standard-get.html
"""

import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import attrs

from sfconnector.testing import _ids
from sfconnector.testing._actions import Action, Failure, Outcome, Parameter, parameters
from sfconnector.testing._context import RequestContext
from sfconnector.testing._errors import OrgError, OrgErrorItem, unsupported
from sfconnector.testing._outbox import ChatterPost, Email, Notification, Outbox
from sfconnector.testing._store import Store

_MOST_RECIPIENTS = 150
_LONGEST_POST = 10_000
_LONGEST_TITLE, _LONGEST_NOTIFICATION = 250, 750
_ADDRESS = re.compile(r"[^\s@,;:<>()\[\]\\\"]+@(?:[\w-]+\.)+[\w-]{2,}")
# Since 65.0 one input takes a list or a text with commas; the older ones are still understood.
_TO = ("recipientAddresses", "emailAddresses", "emailAddressesArray")
_CC = ("ccAddresses", "ccRecipientAddressList", "ccRecipientAddressCollection")
_BCC = ("bccAddresses", "bccRecipientAddressList", "bccRecipientAddressCollection")
_SENDERS = ("CurrentUser", "DefaultWorkflowUser", "OrgWideEmailAddress")
_UNSUPPORTED_EMAIL = ("addThreadingTokenToBody", "addThreadingTokenToSubject", "emailTemplateId", "logEmailOnSend")


class _Refused(Exception):
    """Leaves an action whose input is wrong."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.failure = Failure((OrgErrorItem(code, message, ()),))


@attrs.frozen
class StandardActions:
    """The standard actions as one request sees them."""

    store: Store
    outbox: Outbox
    context: RequestContext

    def all(self) -> dict[str, Action]:
        """The actions by name, in the order in which Salesforce lists them."""
        return {action.name: action for action in (self._chatter_post(), self._email(), self._submit(), self._notify())}

    def _chatter_post(self) -> Action:
        """https://developer.salesforce.com/docs/platform/api-action/guide/actions-obj-post-to-chatter.html"""
        inputs = {
            "communityId": "REFERENCE = Experience Cloud Site ID",
            "subjectNameOrId": "STRING required = Target Name or ID",
            "text": "STRING required = Message",
            "type": "PICKLIST = Target Type",
            "visibility": "PICKLIST = Feed Item Visibility",
        }
        picklists = {"type": ("User", "Group"), "visibility": ("allUsers", "internalUsers")}
        return Action(
            name="chatterPost",
            label="Post to Chatter",
            type="CHATTERPOST",
            description="Post to the feed for a specific record, user, or Chatter group.",
            inputs=_with_values(inputs, picklists),
            outputs=parameters({"feedItemId": "REFERENCE = Feed Item ID"}) or (),
            standard=True,
            run=_each(self._post),
        )

    def _post(self, values: Mapping[str, Any]) -> Outcome:
        if values.get("communityId") or values.get("visibility"):
            raise unsupported("Experience Cloud sites")
        text, subject = str(values["text"]), str(values["subjectNameOrId"])
        if len(text) > _LONGEST_POST:
            raise _Refused("STRING_TOO_LONG", f"text: data value too large (max length={_LONGEST_POST})")
        post = ChatterPost(id=_made_up("0D5"), parent_id=self._subject(subject, values.get("type")), text=text)
        self.outbox.send(post)
        return {"feedItemId": post.id}

    def _subject(self, name_or_id: str, kind: Any) -> str:
        if kind is None:
            return self._existing(name_or_id)
        if str(kind).lower() == "group":
            raise unsupported("Chatter groups")
        if str(kind).lower() != "user":
            raise _Refused("INVALID_INPUT", f"type is User or Group, not {kind}")
        try:
            return self.store.find("User", "Username", name_or_id, self.context)
        except OrgError as error:
            raise _Refused("INVALID_CROSS_REFERENCE_KEY", f"There is no user {name_or_id}") from error

    def _existing(self, record_id: str) -> str:
        normal = _ids.normalize(record_id)
        sobject = None if normal is None else self.store.schema.by_key_prefix(normal[:3])
        if normal is None or sobject is None:
            raise _Refused("MALFORMED_ID", f"malformed id {record_id}")
        try:
            self.store.get(sobject.name, normal, ["Id"], self.context)
        except OrgError as error:
            raise _Refused("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id") from error
        return normal

    def _email(self) -> Action:
        """https://developer.salesforce.com/docs/platform/api-action/guide/actions-obj-email-simple.html"""
        inputs = {
            **dict.fromkeys(_TO[:2] + _CC[:2] + _BCC[:2], "STRING"),
            **dict.fromkeys((_TO[2], _CC[2], _BCC[2]), "STRING list"),
            **dict.fromkeys(("attachmentId", "emailSubject", "emailTemplateId", "recipientId"), "STRING"),
            **dict.fromkeys(("relatedRecordId", "senderAddress", "senderType"), "STRING"),
            "attachmentIdCollection": "STRING list",
            "emailBody": "TEXTAREA",
            **dict.fromkeys(("addThreadingTokenToBody", "addThreadingTokenToSubject"), "BOOLEAN"),
            **dict.fromkeys(("logEmailOnSend", "sendRichBody", "useLineBreaks"), "BOOLEAN"),
        }
        return Action(
            name="emailSimple",
            label="Send Email",
            type="EMAILSIMPLE",
            description="Send an email where you specify the subject, body, and recipients.",
            inputs=parameters(dict(sorted(inputs.items()))),
            standard=True,
            run=self._send_all,
        )

    def _send_all(self, inputs: Sequence[Mapping[str, Any]]) -> list[Outcome]:
        for name in _UNSUPPORTED_EMAIL:
            if any(values.get(name) for values in inputs):
                raise unsupported(f"the input {name} of emailSimple")
        return _each(self._send)(inputs)

    def _send(self, values: Mapping[str, Any]) -> Outcome:
        to, cc, bcc = (_addresses(values, names) for names in (_TO, _CC, _BCC))
        if recipient := values.get("recipientId"):
            to = (*to, self._address_of(str(recipient)))
        if not (to or cc or bcc):
            raise _Refused("MISSING_ARGUMENT", "Missing required input parameter: recipientAddresses")
        if len(to) + len(cc) + len(bcc) > _MOST_RECIPIENTS:
            raise _Refused("TOO_MANY_RECIPIENTS", f"An email has {_MOST_RECIPIENTS} recipients at most")
        for name in ("emailSubject", "emailBody"):
            if not values.get(name):
                raise _Refused("MISSING_ARGUMENT", f"Missing required input parameter: {name}")
        _check_sender(values)
        subject, body = str(values["emailSubject"]), str(values["emailBody"])
        self.outbox.send(Email(to=to, cc=cc, bcc=bcc, subject=subject, body=body, values=dict(values)))
        return None

    def _address_of(self, person: str) -> str:
        record_id = self._existing(person)
        sobject = self.store.schema.by_key_prefix(record_id[:3])
        if sobject is None or sobject.name not in ("Contact", "Lead"):
            raise _Refused("INVALID_ID_FIELD", f"recipientId: {person} is neither a contact nor a lead")
        address = self.store.get(sobject.name, record_id, ["Email"], self.context)["Email"]
        if not address:
            raise _Refused("UNSPECIFIED_EMAIL_ADDRESS", f"{person} has no email address")
        return str(address)

    def _submit(self) -> Action:
        """https://developer.salesforce.com/docs/platform/api-action/guide/actions-obj-submit-for-approval.html"""
        inputs = {
            "comment": "STRING = Submission Comments",
            "nextApproverIds": "REFERENCE list = Next Approver IDs",
            "objectId": "REFERENCE required = Record ID",
            "processDefinitionNameOrId": "STRING = Approval Process Name or ID",
            "skipEntryCriteria": "BOOLEAN = Skip Entry Criteria",
            "submitterId": "STRING = Submitter ID",
        }
        outputs = {
            "actorIds": "REFERENCE list = New Approver IDs",
            "entityId": "REFERENCE = Record ID",
            "instanceId": "REFERENCE = Instance ID",
            "instanceStatus": "PICKLIST = Instance Status",
            "newWorkItemIds": "REFERENCE list = New Work Item IDs",
        }
        return Action(
            name="submit",
            label="Submit for Approval",
            type="SUBMITAPPROVAL",
            description="Submit a record for approval if an approval process is defined for its object.",
            inputs=parameters(inputs),
            outputs=parameters(outputs) or (),
            standard=True,
            run=_each(self._submitted),
        )

    def _submitted(self, values: Mapping[str, Any]) -> Outcome:
        """The org has no approval processes, and says what an org without any says."""
        self._existing(str(values["objectId"]))
        raise _Refused("NO_APPLICABLE_PROCESS", "No applicable approval process was found.")

    def _notify(self) -> Action:
        """https://developer.salesforce.com/docs/platform/api-action/guide/actions-obj-custom-notification.html"""
        inputs = {
            "actionGroup": "STRING = Action Group",
            "body": "STRING required = Notification Body",
            "customNotifTypeId": "REFERENCE required = Custom Notification Type ID",
            "recipientIds": "REFERENCE required list = Recipient IDs",
            "senderId": "REFERENCE = Sender ID",
            "targetId": "REFERENCE = Target ID",
            "targetPageRef": "STRING = Target Page Reference",
            "title": "STRING required = Notification Title",
        }
        return Action(
            name="customNotificationAction",
            label="Send Custom Notification",
            type="CUSTOM_NOTIFICATION_ACTION",
            description="Send custom notifications to recipients via desktop or mobile channels.",
            inputs=parameters(inputs),
            outputs=parameters({"SuccessMessage": "STRING = Success Message"}) or (),
            standard=True,
            run=_each(self._notified),
        )

    def _notified(self, values: Mapping[str, Any]) -> Outcome:
        target = values.get("targetId") or values.get("targetPageRef")
        if not target:
            raise _Refused("MISSING_ARGUMENT", "You must specify either a targetId or a targetPageRef")
        for name, longest in (("title", _LONGEST_TITLE), ("body", _LONGEST_NOTIFICATION)):
            if len(str(values[name])) > longest:
                raise _Refused("STRING_TOO_LONG", f"{name}: data value too large (max length={longest})")
        recipients = values["recipientIds"]
        given = recipients if isinstance(recipients, list) else [recipients]
        known = tuple(self._existing(str(recipient)) for recipient in given)
        title, body = str(values["title"]), str(values["body"])
        self.outbox.send(Notification(recipient_ids=known, title=title, body=body, target=str(target)))
        return {"SuccessMessage": "Your custom notification is processed successfully."}


def _each(run: Callable[[Mapping[str, Any]], Outcome]) -> Callable[[Sequence[Mapping[str, Any]]], list[Outcome]]:
    def one(values: Mapping[str, Any]) -> Outcome:
        try:
            return run(values)
        except _Refused as refused:
            return refused.failure

    return lambda inputs: [one(values) for values in inputs]


def _with_values(definitions: Mapping[str, str], picklists: Mapping[str, Iterable[str]]) -> tuple[Parameter, ...]:
    return tuple(
        attrs.evolve(one, picklist_values=tuple((value, value) for value in picklists.get(one.name, ())))
        for one in parameters(definitions) or ()
    )


def _addresses(values: Mapping[str, Any], names: Iterable[str]) -> tuple[str, ...]:
    """The addresses of some inputs, each a list or a text with commas."""
    given = [values[name] for name in names if values.get(name)]
    texts = [text for one in given for text in (one if isinstance(one, list) else str(one).split(","))]
    found = tuple(str(text).strip() for text in texts if str(text).strip())
    wrong = next((address for address in found if not _ADDRESS.fullmatch(address)), None)
    if wrong is not None:
        raise _Refused("INVALID_EMAIL_ADDRESS", f"Email Address Invalid: {wrong}")
    return found


def _check_sender(values: Mapping[str, Any]) -> None:
    sender = values.get("senderType") or _SENDERS[0]
    if sender not in _SENDERS:
        raise _Refused("INVALID_INPUT", f"senderType is one of {', '.join(_SENDERS)}, not {sender}")
    if sender == "OrgWideEmailAddress":
        raise _Refused("INVALID_INPUT", "The org has no organization-wide email address to send from")


def _made_up(prefix: str) -> str:
    """The id of something that has no table here."""
    return _ids.make(prefix, secrets.randbelow(10**12))
