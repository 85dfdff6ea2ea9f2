"""Bills: files of providers taken in, set against the ledger, and told again as FOCUS."""
