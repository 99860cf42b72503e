"""The queries into which PK chunking splits one.

https://developer.salesforce.com/docs/platform/api-asynch/guide/async-api-headers-enable-pk-chunking.html
"""

import re
import sqlite3
from collections.abc import Iterator
from typing import Final

from sfconnector.testing import _ids
from sfconnector.testing._async._chunking import Chunking
from sfconnector.testing._async._errors import INVALID_ENTITY, AsyncError
from sfconnector.testing._database import quote
from sfconnector.testing._schema import Field, Schema, SObjectType
from sfconnector.testing._soql import _ast

# Besides custom objects.
_STANDARD: Final = """
Account AccountContactRelation AccountTeamMember AiVisitSummary Asset AssignedResource Campaign CampaignMember
CandidateAnswer Case CaseArticle CaseComment CaseRelatedIssue ChangeRequest ChangeRequestRelatedIssue
ChangeRequestRelatedItem Claim ClaimParticipant Contact ContentDistribution ContentDocument ContentNote
ContentVersion Contract ContractLineItem ConversationDefinitionEventLog ConversationEntry ConversationReason
ConversationReasonExcerpt ConversationReasonGroup CustomerProperty EinsteinAnswerFeedback EmailMessage
EngagementScore Entitlement Event EventRelation FeedItem Incident IncidentRelatedItem Individual InsurancePolicy
InsurancePolicyAsset InsurancePolicyParticipant Lead LeadInsight LinkedArticle LiveChatTranscript LoginHistory
LoyaltyAggrPointExprLedger LoyaltyLedger LoyaltyLedgerTraceability LoyaltyMemberCurrency LoyaltyMemberTier
LoyaltyPartnerProduct LoyaltyProgramMbrPromotion LoyaltyProgramMember LoyaltyProgramPartner
LoyaltyProgramPartnerLedger MessagingSession MlRetrainingFeedback Note ObjectTerritory2Association Opportunity
OpportunityContactRole OpportunityHistory OpportunityLineItem OpportunitySplit OpportunityTeamMember Order OrderItem
Pricebook2 PricebookEntry Problem ProblemIncident ProblemRelatedItem Product2 ProductConsumed ProductRequired
QuickText Quote QuoteLineItem ReplyText ScoreIntelligence ServiceAppointment ServiceContract Task TaskRelation
TermDocumentFrequency TimeSheetEntry TransactionJournal User UserRole VoiceCall VoiceCallRecording Voucher WebCart
WorkloadUnit WorkOrder WorkOrderLineItem WorkPlan WorkPlanTemplate
"""
_SUPPORTED: Final = frozenset(_STANDARD.split())
# A quoted text, a bracket, or the word that begins the conditions.
_TOKEN: Final = re.compile(r"'(?:[^'\\]|\\.)*'|[()]|\bWHERE\b", re.IGNORECASE | re.DOTALL)
_RADIX: Final = len(_ids.DIGITS)
_VALUES: Final = {digit: value for value, digit in enumerate(_ids.DIGITS)}


def is_supported(sobject: SObjectType) -> bool:
    """Tell whether queries for records of an object can be chunked."""
    return sobject.custom or sobject.name in _SUPPORTED


def check_supported(sobject: SObjectType, parent: SObjectType | None) -> None:
    """Refuse a job for records that cannot be chunked; those of a share or a history are by their parent.

    Raises:
        AsyncError: ``InvalidEntity``.
    """
    chunked = parent or sobject
    if not is_supported(chunked) or (parent and _reference(sobject, parent) is None):
        raise AsyncError(INVALID_ENTITY, f"Entity '{sobject.name}' is not supported to use PKChunking.")


def splits(query: _ast.Query, sobject: SObjectType) -> bool:
    """Tell whether a query is split; one with other conditions than WHERE, or with a filter by an id, runs as it is."""
    plain = all(isinstance(item, _ast.Column) and isinstance(item.expression, _ast.Path) for item in query.selection)
    others = (query.scope, query.limit, query.offset, query.tracking, query.having)
    lists = (query.with_clauses, query.group_by, query.order_by, query.update)
    if not plain or len(query.sources) > 1 or query.locks or any(lists) or any(item is not None for item in others):
        return False
    return not any(_filters_ids(condition, sobject) for condition in _ast.conditions(query.where))


def _filters_ids(condition: _ast.Condition, sobject: SObjectType) -> bool:
    match condition:
        case (
            _ast.Comparison(_ast.Path() as path)
            | _ast.Membership(_ast.Path() as path)
            | _ast.SemiJoin(_ast.Path() as path)
        ):
            name = path.names[-1]
            field = sobject.field(name)
            return name.lower().endswith("id") or (field is not None and field.type in ("id", "reference"))
    return False


def chunks(
    text: str, sobject: SObjectType, chunking: Chunking, schema: Schema, connection: sqlite3.Connection
) -> Iterator[str]:
    """Split a query: each part is about the records whose ids are in a range, and no range is without records."""
    parent = None if chunking.parent is None else schema.get(chunking.parent)
    field = sobject.fields["Id"] if parent is None else _reference(sobject, parent)
    assert field is not None  # noqa: S101  # see check_supported
    table = (parent or sobject).name
    ids = connection.execute(
        f'SELECT "Id" FROM {quote(table)} WHERE "Id" >= ? ORDER BY "Id"', [(chunking.start or "")[:15]]
    )
    begin = None if chunking.start is None else _number(chunking.start)
    end = -1
    for (record_id,) in ids:
        number = _number(record_id)
        if number >= end:
            begin = number if begin is None else begin
            start = begin + (number - begin) // chunking.size * chunking.size
            end = start + chunking.size
            yield _narrowed(text, field, _id(record_id, start), _id(record_id, end))


def _reference(sobject: SObjectType, parent: SObjectType) -> Field | None:
    return next((field for field in sobject.fields.values() if parent.name in field.reference_to), None)


def _number(record_id: str) -> int:
    number = 0
    for digit in record_id[3:15]:
        number = number * _RADIX + _VALUES[digit]
    return number


def _id(alike: str, number: int) -> str:
    digits = ""
    for _ in range(12):
        number, rest = divmod(number, _RADIX)
        digits = _ids.DIGITS[rest] + digits
    return alike[:3] + digits


def _narrowed(text: str, field: Field, first: str, after: str) -> str:
    span = f"{field.name} >= '{first}' AND {field.name} < '{after}'"
    depth = 0
    for token in _TOKEN.finditer(text):
        found = token[0]
        depth += {"(": 1, ")": -1}.get(found, 0)
        if depth == 0 and found.lower() == "where":
            return f"{text[: token.end()]} ({text[token.end() :].strip()}) AND {span}"
    return f"{text.rstrip()} WHERE {span}"
