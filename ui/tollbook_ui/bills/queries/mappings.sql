-- What did people say of billed lines?
SELECT mapping_id, set_at, provider, account, service, resource, sku, category, ledger_resource, ledger_provider FROM current_bill_mappings ORDER BY set_at, mapping_id
