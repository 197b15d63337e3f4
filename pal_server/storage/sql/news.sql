-- What people are told while they look elsewhere.

-- name: since(workspace_id, position, newest, kind, principal, kind2, principal2, limit)
-- What everybody in a room may see, of the rooms this person sees.
SELECT e.position, e.kind, e.data FROM events e
 WHERE e.workspace_id = :workspace_id AND e.position > :position AND e.position <= :newest AND e.audience IS NULL
   AND e.kind IN ('interaction.opened', 'message.created', 'run.finished')
   AND EXISTS (SELECT 1 FROM room_viewers v WHERE v.room_id = e.room_id
                AND ((v.kind = :kind AND v.principal = :principal) OR (v.kind = :kind2 AND v.principal = :principal2)))
 ORDER BY e.position
 LIMIT :limit;

-- name: asked_by(id)
SELECT sender_kind, sender FROM messages WHERE id = :id;
