-- What do the prices that people set themselves say at present, box by box?
SELECT * FROM current_prices WHERE precedence = 'own'
