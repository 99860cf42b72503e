"""Products, their prices in price books, and the lines of opportunities and orders.

https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_pricebookentry.htm
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_opportunitylineitem.htm
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_orderitem.htm
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_asset.htm
"""

from decimal import Decimal

from sfconnector.testing._database import Database
from sfconnector.testing._errors import OrgError
from sfconnector.testing._rules._change import Change, Columns, Row, Rules, integrity, missing
from sfconnector.testing._rules._orders import check_draft

_ALIVE = '"Id" = ? AND "IsDeleted" = 0'
# https://help.salesforce.com/s/articleView?id=000383141&type=1
_NO_ENTRY = (
    "field integrity exception: PricebookEntryId, unknown (versions 3.0 and higher must specify pricebook entry id; "
    "others must specify product id)"
)


def _tell_prices(change: Change) -> None:
    """Write a product's name and code wherever they are shown."""
    if change.before and change.changed("Name", "ProductCode", "StockKeepingUnit"):
        product = change.after
        name, code, product_id = product["Name"], product.get("ProductCode"), product["Id"]
        write = change.database.write
        write(
            'UPDATE "PricebookEntry" SET "Name" = ?, "ProductCode" = ? WHERE "Product2Id" = ?', [name, code, product_id]
        )
        change.database.touch("OpportunityLineItem", '"Product2Id" = ?', [product_id])
        write(
            """UPDATE "OpportunityLineItem" SET "ProductCode" = ?, "Name" = (
                   SELECT o."Name" FROM "Opportunity" o WHERE o."Id" = "OpportunityLineItem"."OpportunityId"
               ) || ' ' || ? WHERE "Product2Id" = ?""",
            [code, name, product_id],
        )
        write(
            'UPDATE "Asset" SET "ProductCode" = ?, "StockKeepingUnit" = ? WHERE "Product2Id" = ?',
            [code, product.get("StockKeepingUnit"), product_id],
        )


def _keep_standard_book(_: Database, book: Row) -> None:
    if book["IsStandard"]:
        raise OrgError(400, "DELETE_FAILED", "The standard price book cannot be deleted", ())


def _entry(change: Change) -> Columns:
    entry = change.after
    columns: Columns = {}
    standard = _standard_price(change, entry["Product2Id"])
    if change.creates:
        product = change.look_up("Product2", "Id", entry["Product2Id"])
        columns |= {"Name": product.get("Name"), "ProductCode": product.get("ProductCode")}
        _check_new_entry(change, entry, standard)
    if standard is not None and standard["Id"] != entry["Id"] and entry.get("UseStandardPrice"):
        # The price may be given with the flag, but it is that of the standard price book.
        if "UnitPrice" in change.given and entry["UnitPrice"] != standard["UnitPrice"]:
            raise integrity("field integrity exception")
        columns["UnitPrice"] = standard["UnitPrice"]
    return columns


def _check_new_entry(change: Change, entry: Row, standard: Row | None) -> None:
    book = change.look_up("Pricebook2", "Id", entry["Pricebook2Id"])
    if not book["IsStandard"] and standard is None:
        raise OrgError(400, "STANDARD_PRICE_NOT_DEFINED", "No standard price defined for this product", ())
    same = change.database.row(
        'SELECT 1 FROM "PricebookEntry" WHERE "Pricebook2Id" = ? AND "Product2Id" = ? AND "IsDeleted" = 0',
        [entry["Pricebook2Id"], entry["Product2Id"]],
    )
    if same is not None:
        raise integrity("This price definition already exists in this price book")


def _standard_price(change: Change, product_id: str) -> Row | None:
    row = change.database.row(
        """SELECT e.* FROM "PricebookEntry" e JOIN "Pricebook2" b ON b."Id" = e."Pricebook2Id"
           WHERE e."Product2Id" = ? AND b."IsStandard" = 1 AND e."IsDeleted" = 0""",
        [product_id],
    )
    return None if row is None else dict(row)


def _follow_standard_price(change: Change) -> None:
    entry = change.after
    standard = _standard_price(change, entry["Product2Id"])
    if change.before and standard is not None and standard["Id"] == entry["Id"] and change.changed("UnitPrice"):
        followers = '"Product2Id" = ? AND "UseStandardPrice" = 1'
        change.database.touch("PricebookEntry", followers, [entry["Product2Id"]])
        change.database.write(
            f'UPDATE "PricebookEntry" SET "UnitPrice" = ? WHERE {followers}', [entry["UnitPrice"], entry["Product2Id"]]
        )


def _opportunity_line(change: Change) -> Columns:
    line = change.after
    columns: Columns = {}
    if change.creates:
        opportunity = change.look_up("Opportunity", "Id", line["OpportunityId"])
        entry = _usable_entry(change, line)
        book = opportunity.get("Pricebook2Id")
        if book is None:
            change.database.touch("Opportunity", '"Id" = ?', [opportunity["Id"]])
            change.database.update("Opportunity", opportunity["Id"], {"Pricebook2Id": entry["Pricebook2Id"]})
        elif book != entry["Pricebook2Id"]:
            raise integrity(
                "field integrity exception: PricebookEntryId (pricebook entry is in a different pricebook than the "
                "one assigned to the opportunity)",
                "PricebookEntryId",
            )
        columns |= {**_from_entry(entry), "Name": f"{opportunity['Name']} {entry['Name']}"}
    return columns | _line_prices(change)


def _usable_entry(change: Change, line: Row) -> Row:
    entry = change.look_up("PricebookEntry", "Id", line.get("PricebookEntryId"))
    if not entry:
        raise integrity(_NO_ENTRY, "PricebookEntryId", "unknown")
    if not entry["IsActive"]:
        raise integrity("field integrity exception: PricebookEntryId (pricebook entry is inactive)", "PricebookEntryId")
    return entry


def _from_entry(entry: Row) -> Columns:
    return {
        "Product2Id": entry["Product2Id"],
        "ProductCode": entry["ProductCode"],
        "ListPrice": entry["UnitPrice"],
    }


def _line_prices(change: Change) -> Columns:
    """Of the price of one and the total, one is given and the other follows."""
    line = change.after
    sets_unit, sets_total = (
        change.given.get(name) is not None and change.changed(name) for name in ("UnitPrice", "TotalPrice")
    )
    if sets_unit and sets_total:
        what = (
            "specify both 'UnitPrice' and 'TotalPrice' in create"
            if change.creates
            else ("change both 'UnitPrice' and 'TotalPrice' in update")
        )
        raise OrgError(400, "INVALID_FIELD", f"Cannot {what} call", ["UnitPrice"])
    # To empty the one leaves it to follow from the other.
    unit = line.get("UnitPrice") if line.get("UnitPrice") is not None else change.before.get("UnitPrice")
    if unit is None and not sets_total:
        raise missing("TotalPrice")
    quantity = Decimal(str(line["Quantity"]))
    share = 1 - Decimal(str(line.get("Discount") or 0)) / 100
    if sets_total:
        total, whole = Decimal(str(line["TotalPrice"])), quantity * share
        price = total / whole if whole else Decimal(0)
    else:
        price = Decimal(str(unit))
        total = price * quantity * share
    return {"UnitPrice": float(price), "Subtotal": float(price * quantity), "TotalPrice": float(total)}


def _sum_up_opportunity(database: Database, line: Row) -> None:
    """The lines make an opportunity's amount; without any left, it keeps the last."""
    opportunity_id = line["OpportunityId"]
    database.touch("Opportunity", _ALIVE, [opportunity_id])
    database.write(
        """UPDATE "Opportunity" SET
               "HasOpportunityLineItem" = lines.n > 0,
               "Amount" = CASE WHEN lines.n THEN lines.total ELSE "Amount" END,
               "TotalOpportunityQuantity" = CASE WHEN lines.n THEN lines.quantity ELSE "TotalOpportunityQuantity" END
           FROM (SELECT COUNT(*) AS n, SUM("TotalPrice") AS total, SUM("Quantity") AS quantity
                 FROM "OpportunityLineItem" WHERE "OpportunityId" = ?1 AND "IsDeleted" = 0) AS lines
           WHERE "Id" = ?1 AND "IsDeleted" = 0""",
        [opportunity_id],
    )
    database.write(
        'UPDATE "Opportunity" SET "ExpectedRevenue" = ROUND("Amount" * "Probability" / 100, 2) WHERE "Id" = ?',
        [opportunity_id],
    )


def _order_line(change: Change) -> Columns:
    line = change.after
    order = change.look_up("Order", "Id", line["OrderId"])
    check_draft(order)
    columns: Columns = {}
    if line.get("UnitPrice") is None:
        raise missing("UnitPrice")
    if change.creates:
        entry = _usable_entry(change, line)
        if order.get("Pricebook2Id") != entry["Pricebook2Id"]:
            raise integrity(
                "field integrity exception: PricebookEntryId (pricebook entry is in a different pricebook than the "
                "one assigned to the order)",
                "PricebookEntryId",
            )
        columns |= {"Product2Id": entry["Product2Id"], "ListPrice": entry["UnitPrice"]}
    total = Decimal(str(line["UnitPrice"])) * Decimal(str(line["Quantity"]))
    return {**columns, "TotalPrice": float(total), "AvailableQuantity": line["Quantity"]}


def _sum_up_order(database: Database, line: Row) -> None:
    database.touch("Order", _ALIVE, [line["OrderId"]])
    database.write(
        """UPDATE "Order" SET "TotalAmount" = (
               SELECT COALESCE(SUM("TotalPrice"), 0) FROM "OrderItem" WHERE "OrderId" = ?1 AND "IsDeleted" = 0)
           WHERE "Id" = ?1 AND "IsDeleted" = 0""",
        [line["OrderId"]],
    )


def _hold_order_line(database: Database, line: Row) -> None:
    check_draft(database.find("Order", line["OrderId"]) or {})


def _asset(change: Change) -> Columns:
    asset = change.after
    if asset.get("AccountId") is None and asset.get("ContactId") is None:
        raise integrity("Every asset needs an account, a contact, or both", "AccountId", "ContactId")
    product = change.look_up("Product2", "Id", asset.get("Product2Id"))
    parent = change.look_up("Asset", "Id", asset.get("ParentId"))
    return {
        "ProductCode": product.get("ProductCode"),
        "StockKeepingUnit": product.get("StockKeepingUnit"),
        "RootAssetId": parent.get("RootAssetId", asset["Id"]),
        "AssetLevel": parent.get("AssetLevel", 0) + 1,
    }


RULES = {
    "Product2": Rules(follow=_tell_prices),
    "Pricebook2": Rules(hold=_keep_standard_book),
    "PricebookEntry": Rules(derive=_entry, follow=_follow_standard_price),
    "OpportunityLineItem": Rules(derive=_opportunity_line, roll_up=_sum_up_opportunity),
    "OrderItem": Rules(derive=_order_line, roll_up=_sum_up_order, hold=_hold_order_line),
    "Asset": Rules(derive=_asset),
}
