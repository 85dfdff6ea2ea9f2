-- What did an import take in? On one node.
DELETE FROM spans WHERE scope_name = {scope:String} AND attributes['tollbook.usage.import'] = toString({import_id:UInt64})
