-- How many lines have imports that are under way read by now?
SELECT count() AS lines FROM bill_texts
