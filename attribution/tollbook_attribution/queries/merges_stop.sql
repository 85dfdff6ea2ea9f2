-- What lets parts of a table wait to be merged?
SYSTEM STOP MERGES any_table
