-- What did an import leave that was not finished?
DELETE FROM bill_lines WHERE tenant = {tenant:String} AND import_id = {import_id:UInt64}
