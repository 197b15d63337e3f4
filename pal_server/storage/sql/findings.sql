-- What daemons found out of programs on their computers.

-- name: put(computer_id, runtime, account, agent, folder, kind, data, now)
INSERT INTO findings (computer_id, runtime, account, agent, folder, kind, data, found_at, tried_at, error)
VALUES (:computer_id, :runtime, :account, :agent, :folder, :kind, :data, :now, :now, NULL)
ON CONFLICT (computer_id, runtime, account, agent, folder, kind)
DO UPDATE SET data = excluded.data, found_at = excluded.found_at, tried_at = excluded.tried_at, error = NULL;

-- name: failed(computer_id, runtime, account, agent, folder, kind, error, now)
-- What was found before stays.
INSERT INTO findings (computer_id, runtime, account, agent, folder, kind, data, found_at, tried_at, error)
VALUES (:computer_id, :runtime, :account, :agent, :folder, :kind, NULL, NULL, :now, :error)
ON CONFLICT (computer_id, runtime, account, agent, folder, kind)
DO UPDATE SET tried_at = excluded.tried_at, error = excluded.error;

-- name: get(computer_id, runtime, account, agent, folder, kind)
SELECT computer_id, runtime, account, agent, folder, kind, data, found_at, tried_at, error
  FROM findings
 WHERE computer_id = :computer_id AND runtime = :runtime AND account = :account AND agent = :agent AND folder = :folder
   AND kind = :kind;

-- name: of_kind(workspace_id, kind)
SELECT f.computer_id, f.runtime, f.account, f.agent, f.folder, f.kind, f.data, f.found_at, f.tried_at, f.error
  FROM findings f JOIN computers c ON c.id = f.computer_id
 WHERE c.workspace_id = :workspace_id AND c.revoked_at IS NULL AND f.kind = :kind
 ORDER BY f.computer_id, f.runtime, f.account, f.agent, f.folder;

-- name: forget_account(account)
DELETE FROM findings WHERE account = :account;

-- name: forget_agent(workspace_id, agent)
DELETE FROM findings
 WHERE agent = :agent AND computer_id IN (SELECT id FROM computers WHERE workspace_id = :workspace_id);
