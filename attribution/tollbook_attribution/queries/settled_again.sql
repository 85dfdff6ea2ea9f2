-- Which hours were settled again within a day, perhaps by a process that ended before it removed what is superseded?
SELECT DISTINCT window FROM settlements WHERE previous != 0 AND settled_at > now() - INTERVAL 1 DAY
