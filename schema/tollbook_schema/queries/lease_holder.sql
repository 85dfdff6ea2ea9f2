-- Who has the lease? Of those who asked and have not given it back, the one who asked first.
SELECT argMin(owner, _block_number) AS holder
FROM leases
WHERE name = {name:String} AND until > now64(3, 'UTC') AND owner NOT IN (SELECT owner FROM leases WHERE name = {name:String} AND released)
