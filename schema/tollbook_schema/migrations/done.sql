-- Which migrations has this database had?
SELECT DISTINCT number FROM schema_migrations ORDER BY number
