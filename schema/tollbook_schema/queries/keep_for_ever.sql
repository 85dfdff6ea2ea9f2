-- How long is a fact kept? For ever.
ALTER TABLE {table:Identifier} REMOVE TTL
