-- Put a classified document into the index.
INSERT INTO documents (name, label, policy, body) VALUES (?, ?, ?, ?)
