-- Is this version of the price list stored?
SELECT version FROM prices
WHERE source = {source:String} AND version = {version:String}
LIMIT 1
