-- How long is a fact kept? So many days from its arrival; a part goes when its newest row is due, so nothing is ever rewritten.
ALTER TABLE {table:Identifier} MODIFY TTL received_at + toIntervalDay({days:UInt32})
