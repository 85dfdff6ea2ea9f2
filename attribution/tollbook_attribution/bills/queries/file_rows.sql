-- What do the rows of a file say? Every column as text, NULL where it is empty; what is nested as JSON. A row without a word is none. What is told of every row stands after its columns.
-- Where a file's days stand before its months, they change places: everything after this reads the month first.
SELECT line, arrayConcat(cells_told, CAST({told:Array(String)} AS Array(Nullable(String)))) AS v
FROM (
    SELECT
        rowNumberInAllBlocks() + 1 AS line,
        arrayMap(
            (x, place) -> multiIf(
                trimBoth(x) IN ('', 'NULL', 'null', 'nan', 'NaN', '\\N'), NULL,
                has({day_first:Array(UInt32)}, place), replaceRegexpOne(x, '^(\\d{1,2})/(\\d{1,2})/(\\d{4})', '\\2/\\1/\\3'),
                x
            ),
            CAST(array(* APPLY(c -> if(match(toTypeName(c), '^(Nullable\\()?(Map|Tuple|Array)'), toJSONString(c), toString(c)))) AS Array(Nullable(String))) AS cells,
            arrayEnumerate(cells)
        ) AS cells_told
    FROM file({path:String}, {kind:String}, {structure:String}, {compression:String})
)
WHERE arrayExists(x -> isNotNull(x), cells_told)
SETTINGS max_threads = 1, storage_file_read_method = 'pread', input_format_parallel_parsing = 0, max_block_size = 8192,
    input_format_csv_skip_first_lines = {skip:UInt64}, input_format_csv_skip_trailing_empty_lines = 1,
    format_csv_delimiter = {delimiter:String}, input_format_json_read_numbers_as_strings = 1, input_format_json_read_objects_as_strings = 1,
    input_format_json_read_arrays_as_strings = 1, input_format_json_read_bools_as_strings = 1, session_timezone = 'UTC'
