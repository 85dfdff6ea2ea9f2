-- Which versions of these lists are stored, and for whom?
SELECT DISTINCT toString(tenant) AS tenant, toString(source) AS source, toString(version) AS version
FROM prices
WHERE source IN {sources:Array(String)} AND precedence != 'own'
