-- Record a migration as done. By SQL and not by the client's insert, which imports pandas: 1.4 s of the first start.
INSERT INTO schema_migrations (number, name) SELECT {number:UInt32} AS number, {name:String} AS name
