-- The sums of the hour again for each of the {hours} hours before it, so that the rollup is that of a month.
INSERT INTO costs_settled
SELECT * EXCEPT (number) REPLACE (window - INTERVAL number + 1 HOUR AS window)
FROM costs_settled
CROSS JOIN (SELECT number FROM numbers({hours:UInt32})) AS n;
INSERT INTO settlements
SELECT * EXCEPT (number) REPLACE (window - INTERVAL number + 1 HOUR AS window)
FROM settlements
CROSS JOIN (SELECT number FROM numbers({hours:UInt32})) AS n
