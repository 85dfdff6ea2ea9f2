-- Since when is this tenant's money known?
SELECT minOrNull(window) AS known_since FROM settlements WHERE tenant = {of_tenant:String}
