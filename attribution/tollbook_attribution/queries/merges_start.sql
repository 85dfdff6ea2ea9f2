-- What lets parts of a table be merged again?
SYSTEM START MERGES any_table
