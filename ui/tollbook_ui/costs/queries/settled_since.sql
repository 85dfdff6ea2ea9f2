-- Since when, and up to when, is anything settled?
SELECT minOrNull(window) AS first, maxOrNull(window) AS last FROM settlements
