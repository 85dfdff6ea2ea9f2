-- A file was imported.
INSERT INTO usage_imports
SELECT
    {tenant:String} AS tenant,
    {import_id:UInt64} AS import_id,
    now64(3, 'UTC') AS imported_at,
    {file:String} AS file,
    {digest:String} AS digest,
    mapFromArrays({targets:Array(String)}, {columns:Array(String)}) AS columns,
    mapFromArrays({set:Array(String)}, {values:Array(String)}) AS constants,
    {times:String} AS times,
    {rows:UInt64} AS rows,
    {new_calls:UInt64} AS new_calls,
    {first_call:DateTime64(9, 'UTC')} AS first_call,
    {last_call:DateTime64(9, 'UTC')} AS last_call
