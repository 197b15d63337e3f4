-- name: by_id
SELECT * FROM chains WHERE id = :id;

-- name: open
INSERT INTO chains (id, workspace_id, hop_limit, delivery_limit) VALUES (:id, :workspace_id, :hop_limit, :delivery_limit)
ON CONFLICT (id) DO NOTHING;

-- name: count
UPDATE chains SET deliveries = deliveries + :more WHERE id = :id;

-- name: put
UPDATE chains SET hop_limit = :hop_limit, delivery_limit = :delivery_limit WHERE id = :id;
