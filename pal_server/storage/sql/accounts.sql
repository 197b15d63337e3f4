-- Accounts: one login of a runtime on one computer.

-- name: insert(id, workspace_id, computer_id, runtime, label, bin, home, env, args, now)
INSERT INTO accounts (id, workspace_id, computer_id, runtime, label, bin, home, env, args, created_at)
VALUES (:id, :workspace_id, :computer_id, :runtime, :label, :bin, :home, :env, :args, :now);

-- name: get(workspace_id, id)
SELECT id, workspace_id, computer_id, runtime, label, bin, home, env, args, disabled, created_at
  FROM accounts
 WHERE workspace_id = :workspace_id AND id = :id;

-- name: find(computer_id, runtime, label)
SELECT id FROM accounts WHERE computer_id = :computer_id AND runtime = :runtime AND label = :label;

-- name: by_label(workspace_id, label)
-- A label names an account when no other one has it.
SELECT id FROM accounts WHERE workspace_id = :workspace_id AND label = :label ORDER BY id LIMIT 6;

-- name: by_prefix(workspace_id, pattern)
SELECT id FROM accounts WHERE workspace_id = :workspace_id AND id LIKE :pattern ORDER BY id LIMIT 6;

-- name: list_page(workspace_id, at, id, limit)
SELECT id, workspace_id, computer_id, runtime, label, bin, home, env, args, disabled, created_at
  FROM accounts
 WHERE workspace_id = :workspace_id AND (created_at, id) > (:at, :id)
 ORDER BY created_at, id
 LIMIT :limit;

-- name: set_disabled(id, disabled)
UPDATE accounts SET disabled = :disabled WHERE id = :id;

-- name: users_of(account_id)
SELECT key FROM agents WHERE account_id = :account_id ORDER BY key;

-- name: all_users(workspace_id)
SELECT account_id, key FROM agents WHERE workspace_id = :workspace_id AND account_id IS NOT NULL ORDER BY key;

-- name: delete(id)
DELETE FROM accounts WHERE id = :id;
