-- What are the columns of a file called that says so itself?
DESCRIBE TABLE file({path:String}, {kind:String}, 'auto', {compression:String})
SETTINGS input_format_json_read_numbers_as_strings = 1, input_format_json_read_objects_as_strings = 1, input_format_json_read_arrays_as_strings = 1
