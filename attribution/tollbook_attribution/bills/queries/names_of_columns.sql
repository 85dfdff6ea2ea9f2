-- What are the columns of a file called that says so itself? Every row is looked at: JSON may name a column, such as credits, late and seldom.
DESCRIBE TABLE file({path:String}, {kind:String}, 'auto', {compression:String})
SETTINGS input_format_json_read_numbers_as_strings = 1, input_format_json_read_objects_as_strings = 1, input_format_json_read_arrays_as_strings = 1,
    input_format_max_rows_to_read_for_schema_inference = 1000000000000, input_format_max_bytes_to_read_for_schema_inference = 1000000000000
