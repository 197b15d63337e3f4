-- Tampering with the audit log, as somebody who can write the database would.

-- name: audit_change(id)
UPDATE audit SET target = 'somebody else' WHERE id = :id;

-- name: audit_remove(id)
DELETE FROM audit WHERE id = :id;
