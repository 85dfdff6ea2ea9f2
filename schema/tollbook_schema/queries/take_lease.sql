-- Ask for a lease, or give it back.
INSERT INTO leases (name, owner, until, released)
SELECT {name:String} AS name, {owner:UInt64} AS owner, now64(3, 'UTC') + toIntervalSecond({seconds:UInt32}) AS until, {released:Bool} AS released
