-- What do the rows of a file say? Every column as text, NULL where it is empty; what is nested as JSON.
SELECT rowNumberInAllBlocks() + 1 AS line, arrayMap(
    x -> if(x IN ('', 'NULL', 'null'), NULL, x),
    CAST(array(* APPLY(c -> if(match(toTypeName(c), '^(Nullable\\()?(Map|Tuple|Array)'), toJSONString(c), toString(c)))) AS Array(Nullable(String)))
) AS v
FROM file({path:String}, {kind:String}, {structure:String}, {compression:String})
SETTINGS max_threads = 1, input_format_parallel_parsing = 0, max_block_size = 8192, input_format_csv_skip_first_lines = {skip:UInt64},
    format_csv_delimiter = {delimiter:String}, input_format_json_read_numbers_as_strings = 1, input_format_json_read_objects_as_strings = 1,
    input_format_json_read_arrays_as_strings = 1, input_format_json_read_bools_as_strings = 1
