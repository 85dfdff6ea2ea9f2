-- What keeps parts of a table from ever being merged, and lets rows be deleted?
ALTER TABLE any_table MODIFY SETTING max_bytes_to_merge_at_max_space_in_pool = 1, max_bytes_to_merge_at_min_space_in_pool = 1
