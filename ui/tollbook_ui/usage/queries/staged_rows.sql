-- How many rows do files have that are being read?
SELECT count() AS rows FROM usage_staged
