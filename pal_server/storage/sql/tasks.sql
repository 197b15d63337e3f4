-- name: add
INSERT INTO tasks (id, workspace_id, project_id, number, topic_id, body, acceptance, verification, verification_required, paths,
                   "references", owner, agent, type, "order", status, seen_run, created_by, created_at, updated_at)
VALUES (:id, :workspace_id, :project_id, :number, :topic_id, :body, :acceptance, :verification, :verification_required, :paths,
        :references, :owner, :agent, :type, :order, :status, :seen_run, :created_by, :now, :now);

-- name: by_id
SELECT t.*, p.key AS project, tp.title, tp.room_id, tp.archived_at,
       (SELECT COUNT(*) FROM task_dependencies d WHERE d.task_id = t.id) AS dependencies
  FROM tasks t
  JOIN topics tp ON tp.id = t.topic_id
  JOIN projects p ON p.id = t.project_id
 WHERE t.id = :id AND t.workspace_id = :workspace_id;

-- name: id_by_number
SELECT id FROM tasks WHERE project_id = :project_id AND number = :number;

-- name: ids_by_number
-- In all projects of the workspace, for a code that names none.
SELECT id FROM tasks WHERE workspace_id = :workspace_id AND number = :number ORDER BY id LIMIT 50;

-- name: ids_by_prefix
SELECT id FROM tasks WHERE workspace_id = :workspace_id AND id >= :prefix AND id < :past ORDER BY id LIMIT 5;

-- name: id_of_topic
SELECT id FROM tasks WHERE topic_id = :topic_id;

-- name: lock
-- Whoever changes a task holds its row, so that what it was read as is what it is.
SELECT id FROM tasks WHERE id = :id;

-- name: lock_order(project_id)
-- SQLite has one writer: nothing has to be held.
SELECT id FROM projects WHERE id = :project_id;

-- name: put
UPDATE tasks
   SET body = :body, acceptance = :acceptance, verification = :verification, verification_required = :verification_required,
       paths = :paths, "references" = :references, owner = :owner, agent = :agent, type = :type, "order" = :order,
       status = :status, waiting = :waiting, note = :note, last_outcome = :last_outcome, result = :result,
       verified_at = :verified_at, is_moved = :is_moved, seen_run = :seen_run, updated_at = :updated_at
 WHERE id = :id;

-- name: page
-- The numbers are a range of the index: of one topic only its task's number is looked at.
SELECT t.*, p.key AS project, tp.title, tp.room_id, tp.archived_at,
       (SELECT COUNT(*) FROM task_dependencies d WHERE d.task_id = t.id) AS dependencies
  FROM tasks t
  JOIN topics tp ON tp.id = t.topic_id
  JOIN projects p ON p.id = t.project_id
 WHERE t.workspace_id = :workspace_id AND (t.number, t.id) > (:number, :id) AND t.number <= :last
   AND (CAST(:project_id AS TEXT) IS NULL OR t.project_id = :project_id)
   AND (CAST(:topic_id AS BIGINT) IS NULL OR t.topic_id = :topic_id)
   AND (CAST(:status AS TEXT) IS NULL OR t.status = :status)
   AND (CAST(:agent AS TEXT) IS NULL OR t.agent = :agent)
   AND (CAST(:owner AS TEXT) IS NULL OR t.owner = :owner)
   AND (CAST(:type AS TEXT) IS NULL OR t.type = :type)
   AND (LOWER(tp.title) LIKE :pattern ESCAPE '!' OR LOWER(t.body) LIKE :pattern ESCAPE '!')
   AND (:archived = 1) = (tp.archived_at IS NOT NULL)
   AND EXISTS (SELECT 1 FROM room_viewers v WHERE v.room_id = tp.room_id
                AND ((v.kind = :kind AND v.principal = :principal) OR (v.kind = :kind2 AND v.principal = :principal2)))
 ORDER BY t.number, t.id
 LIMIT :limit;

-- name: dependencies
SELECT o.number, o.status FROM task_dependencies d JOIN tasks o ON o.id = d.depends_on
 WHERE d.task_id = :task_id
 ORDER BY o.number;

-- name: dependents
SELECT task_id FROM task_dependencies WHERE depends_on = :task_id ORDER BY task_id;

-- name: comes_before_itself
-- From what it depends on backwards, each task once.
WITH RECURSIVE before (id) AS (
    SELECT depends_on FROM task_dependencies WHERE task_id = :task_id
     UNION
    SELECT d.depends_on FROM before b JOIN task_dependencies d ON d.task_id = b.id)
SELECT 1 FROM before WHERE id = :task_id;

-- name: unbegun_of
-- What somebody has planned in a project, as far as nothing came of it.
SELECT COUNT(*) AS planned
  FROM tasks t
  JOIN topics tp ON tp.id = t.topic_id
 WHERE t.project_id = :project_id AND t.created_by = :created_by AND t.status IN ('backlog', 'ready')
   AND tp.archived_at IS NULL;

-- name: any_in_room
SELECT 1 FROM tasks t JOIN topics tp ON tp.id = t.topic_id WHERE tp.room_id = :room_id LIMIT 1;

-- name: dependents_of_room
-- The tasks of other rooms that come after one of this room.
SELECT DISTINCT d.task_id
  FROM topics tp
  JOIN tasks o ON o.topic_id = tp.id
  JOIN task_dependencies d ON d.depends_on = o.id
  JOIN tasks t ON t.id = d.task_id
  JOIN topics own ON own.id = t.topic_id
 WHERE tp.room_id = :room_id AND own.room_id <> :room_id
 ORDER BY d.task_id;

-- name: drop_dependencies
DELETE FROM task_dependencies WHERE task_id = :task_id;

-- name: add_dependency
INSERT INTO task_dependencies (task_id, depends_on) VALUES (:task_id, :depends_on);

-- name: remove
DELETE FROM tasks WHERE id = :id;

-- name: forget_dependencies
-- What it comes after, and what comes after it.
DELETE FROM task_dependencies WHERE task_id = :task_id OR depends_on = :task_id;

-- name: forget_all_verifications
DELETE FROM task_verifications WHERE task_id = :task_id;

-- name: work
-- What is going on in a topic. What waits its turn and what is next are counted apart, by the index each of them has. A
-- decision that is proposed there holds up nobody.
SELECT (SELECT COUNT(*) FROM deliveries d
         WHERE d.topic_id = :topic_id AND (d.status = 'claimed' OR (d.status = 'pending' AND d.waits = 0)))
       + (SELECT COUNT(*) FROM deliveries d WHERE d.topic_id = :topic_id AND d.status = 'pending' AND d.waits = 1) AS open,
       (SELECT i.title FROM interactions i WHERE i.topic_id = :topic_id AND i.status = 'pending'
                                                  AND i.decision_id IS NULL
         ORDER BY i.id DESC LIMIT 1) AS asks,
       (SELECT d.updated_at FROM deliveries d
         WHERE d.id = (SELECT MAX(l.id) FROM deliveries l WHERE l.topic_id = :topic_id AND l.status = 'dead')
           AND NOT EXISTS (SELECT 1 FROM deliveries n
                            WHERE n.room_id = d.room_id AND n.id > d.id AND n.topic_id = d.topic_id)) AS died_at;

-- name: newest_run
-- With its delivery, which says whether a person has given up what was interrupted.
SELECT r.id, r.status, r.agent, r.result, r.created_at, d.status AS delivery_status
  FROM runs r
  LEFT JOIN deliveries d ON d.id = r.delivery_id
 WHERE r.topic_id = :topic_id
 ORDER BY r.id DESC
 LIMIT 1;

-- name: add_verification
INSERT INTO task_verifications (task_id, command, exit_code, output, made_by, run_id, created_at)
VALUES (:task_id, :command, :exit_code, :output, :made_by, :run_id, :now)
RETURNING id;

-- name: verification
SELECT * FROM task_verifications WHERE id = :id AND task_id = :task_id;

-- name: forget_verifications
DELETE FROM task_verifications
 WHERE task_id = :task_id
   AND id <= (SELECT id FROM task_verifications WHERE task_id = :task_id ORDER BY id DESC LIMIT 1 OFFSET :kept);

-- name: verifications
SELECT * FROM task_verifications WHERE task_id = :task_id AND id < :before ORDER BY id DESC LIMIT :limit;
