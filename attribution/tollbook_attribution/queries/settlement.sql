-- What did this settlement of the window come to?
SELECT * FROM settlements
WHERE window = {window:DateTime('UTC')} AND settlement = {settlement:UInt64}
