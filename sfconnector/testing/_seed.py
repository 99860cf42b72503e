"""What an org holds on its first day: itself, its users, price book and folder, the meaning of statuses and stages."""

from collections.abc import Callable, Mapping
from typing import Any

from sfconnector.testing._standard import standard_objects

USERNAME = "admin@local-org.example"
_CLOSED_LEADS = {"Closed - Converted"}
_STAGES = (
    ("Prospecting", 10, "Pipeline"),
    ("Qualification", 10, "Pipeline"),
    ("Needs Analysis", 20, "Pipeline"),
    ("Value Proposition", 50, "Pipeline"),
    ("Id. Decision Makers", 60, "Pipeline"),
    ("Perception Analysis", 70, "Pipeline"),
    ("Proposal/Price Quote", 75, "Pipeline"),
    ("Negotiation/Review", 90, "Pipeline"),
    ("Closed Won", 100, "Closed"),
    ("Closed Lost", 0, "Omitted"),
)
# Their meaning is the status category:
# https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_contractstatus.htm
_CONTRACT_STATUSES = {"In Approval Process": "InApproval", "Activated": "Activated", "Draft": "Draft"}
_LOCALE = {"TimeZoneSidKey": "America/Los_Angeles", "LanguageLocaleKey": "en_US"}
# Of what a profile may allow, what those who are no administrators may.
_STANDARD_PERMISSIONS = (
    "PermissionsActivitiesAccess",
    "PermissionsApiEnabled",
    "PermissionsConvertLeads",
    "PermissionsEditEvent",
    "PermissionsEditTask",
    "PermissionsEmailSingle",
    "PermissionsExportReport",
    "PermissionsImportPersonal",
    "PermissionsLightningExperienceUser",
    "PermissionsRunReports",
    "PermissionsViewRoles",
    "PermissionsViewSetup",
)
# https://help.salesforce.com/s/articleView?id=sf.standard_profiles.htm
_PROFILES: dict[str, tuple[str, ...]] = {
    "Standard User": (),
    "Marketing User": ("PermissionsImportLeads",),
    "Contract Manager": ("PermissionsActivateContract",),
}
_NOT_EVEN_ADMINISTRATORS = ("PermissionsApiUserOnly", "PermissionsPasswordNeverExpires", "PermissionsBulkApiHardDelete")

Insert = Callable[[str, Mapping[str, Any]], str]


def seed(insert: Insert, admin_user_id: str) -> None:
    """Insert the first records.

    Args:
        insert: Writes a row as given, with an id and the audit columns, and returns the id.
        admin_user_id: The id that the running user shall have.
    """
    insert("Organization", _organization())
    license_id = insert(
        "UserLicense",
        {"Name": "Salesforce", "MasterLabel": "Salesforce", "LicenseDefinitionKey": "SFDC", "TotalLicenses": 100}
        | {"Status": "Active", "UsedLicenses": 1},
    )
    common = {"UserLicenseId": license_id, "UserType": "Standard"}
    profile = next(sobject for sobject in standard_objects() if sobject.name == "Profile")
    permissions = {name for name in profile.fields if name.startswith("Permissions")} - {*_NOT_EVEN_ADMINISTRATORS}
    profile_id = insert("Profile", {"Name": "System Administrator", **common, **dict.fromkeys(permissions, 1)})
    for name, more in _PROFILES.items():
        insert("Profile", {"Name": name, **common, **dict.fromkeys([*_STANDARD_PERMISSIONS, *more], 1)})
    insert("User", {"Id": admin_user_id, "ProfileId": profile_id, **_admin()})
    insert("User", _automated_process())
    insert("Group", {"Name": "All Internal Users", "DeveloperName": "AllInternalUsers", "Type": "Organization"})
    # https://help.salesforce.com/s/articleView?id=sf.pricebooks_standard_prices.htm
    insert("Pricebook2", {"Name": "Standard Price Book", "IsActive": 1, "IsStandard": 1})
    insert(
        "Folder",
        {"Name": "Shared Documents", "DeveloperName": "SharedDocuments", "AccessType": "Public", "Type": "Document"},
    )
    _seed_statuses(insert)


def _organization() -> dict[str, Any]:
    return {
        "Name": "Local Org",
        "Country": "US",
        "PrimaryContact": "Local Admin",
        "DefaultLocaleSidKey": "en_US",
        **_LOCALE,
        "FiscalYearStartMonth": 1,
        "DefaultAccountAccess": "Edit",
        "DefaultContactAccess": "ControlledByParent",
        "DefaultOpportunityAccess": "Edit",
        "DefaultLeadAccess": "ReadEditTransfer",
        "DefaultCaseAccess": "ReadEditTransfer",
        "DefaultCalendarAccess": "HideDetailsInsert",
        "DefaultPricebookAccess": "ReadSelect",
        "DefaultCampaignAccess": "All",
        "UiSkin": "Theme3",
        "SignupCountryIsoCode": "US",
        "NumKnowledgeService": 0,
        "OrganizationType": "Developer Edition",
        "InstanceName": "LOCAL",
        "WebToCaseDefaultOrigin": "Web",
        "MonthlyPageViewsUsed": 0,
        "MonthlyPageViewsEntitlement": 0,
    }


def _admin() -> dict[str, Any]:
    return {
        "Username": USERNAME,
        "Email": USERNAME,
        "FirstName": "Local",
        "LastName": "Admin",
        "Name": "Local Admin",
        "CompanyName": "Local Org",
        "Alias": "ladmin",
        "CommunityNickname": "local.admin",
        "IsActive": 1,
        "UserType": "Standard",
        **_LOCALE,
        "LocaleSidKey": "en_US",
        "EmailEncodingKey": "UTF-8",
        "NumberOfFailedLogins": 0,
        "DigestFrequency": "N",
        "DefaultGroupNotificationFrequency": "N",
    }


def _automated_process() -> dict[str, Any]:
    return {
        **_admin(),
        "Username": "autoproc@local-org.example",
        "Email": "autoproc@local-org.example",
        "FirstName": "Automated",
        "LastName": "Process",
        "Name": "Automated Process",
        "Alias": "autoproc",
        "CommunityNickname": "autoproc",
        "UserType": "AutomatedProcess",
    }


def _seed_statuses(insert: Insert) -> None:
    leads = ("Open - Not Contacted", "Working - Contacted", "Closed - Converted", "Closed - Not Converted")
    for order, name in enumerate(leads, start=1):
        insert(
            "LeadStatus", {**_value(name, order), "IsDefault": int(order == 1), "IsConverted": name in _CLOSED_LEADS}
        )
    for order, name in enumerate(("New", "Working", "Escalated", "Closed"), start=1):
        insert("CaseStatus", {**_value(name, order), "IsDefault": int(order == 1), "IsClosed": int(name == "Closed")})
    tasks = ("Not Started", "In Progress", "Completed", "Waiting on someone else", "Deferred")
    for order, name in enumerate(tasks, start=1):
        closed = int(name == "Completed")
        insert("TaskStatus", {**_value(name, order), "IsDefault": int(order == 1), "IsClosed": closed})
    for order, name in enumerate(("High", "Normal", "Low"), start=1):
        high = int(name == "High")
        insert("TaskPriority", {**_value(name, order), "IsDefault": int(name == "Normal"), "IsHighPriority": high})
    for order, (name, code) in enumerate(_CONTRACT_STATUSES.items(), start=1):
        insert("ContractStatus", {**_value(name, order), "IsDefault": int(name == "Draft"), "StatusCode": code})
    for order, name in enumerate(("Draft", "Activated"), start=1):
        insert("OrderStatus", {**_value(name, order), "IsDefault": int(name == "Draft"), "StatusCode": name})
    for order, (name, probability, category) in enumerate(_STAGES, start=1):
        insert(
            "OpportunityStage",
            {
                **_value(name, order),
                "IsActive": 1,
                "IsClosed": int(name.startswith("Closed")),
                "IsWon": int(name == "Closed Won"),
                "ForecastCategory": category,
                "ForecastCategoryName": category,
                "DefaultProbability": float(probability),
            },
        )


def _value(name: str, order: int) -> dict[str, Any]:
    return {"MasterLabel": name, "ApiName": name, "SortOrder": order}
