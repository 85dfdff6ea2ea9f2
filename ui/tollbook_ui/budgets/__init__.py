"""Budgets: what may be spent on what, who answers for it, and what is told when it breaks."""
