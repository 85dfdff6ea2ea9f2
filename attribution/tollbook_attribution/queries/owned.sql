-- Has the tenant rows in a table?
SELECT 1 AS found FROM any_table WHERE tenant = {tenant:String} LIMIT 1
