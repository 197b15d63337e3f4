-- Who sees a room, with every column a text by its own account. Over words without a type SQLite does not look into the
-- parts of the view for one room: each list then gathered the viewers of all rooms of all workspaces first.
DROP VIEW room_viewers;
CREATE VIEW room_viewers AS
    SELECT id AS room_id, CAST('admin' AS TEXT) AS kind, workspace_id AS principal FROM rooms WHERE ended_at IS NULL
    UNION ALL
    SELECT id, CAST('workspace' AS TEXT), workspace_id FROM rooms WHERE visibility = 'workspace' AND ended_at IS NULL
    UNION ALL
    SELECT room_id, kind, principal FROM members
    UNION ALL
    SELECT m.room_id, CAST('computer' AS TEXT), a.computer_id
      FROM members m
      JOIN rooms r ON r.id = m.room_id
      JOIN agents a ON a.workspace_id = r.workspace_id AND a.key = m.principal
     WHERE m.kind = 'agent' AND a.computer_id IS NOT NULL;
