"""A fair answer to "which is better?": the verb `compare`, and its equal budgets."""
