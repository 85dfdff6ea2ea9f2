-- Has anything a score?
SELECT count() > 0 AS scored FROM scores_told
