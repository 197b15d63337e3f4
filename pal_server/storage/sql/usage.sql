-- What runs used, added up at their ends. A dry run used nothing and is none of them.

-- name: grouped
SELECT group_key, COUNT(*) AS runs,
       CAST(SUM(CASE WHEN status IN ('failed', 'interrupted') THEN 1 ELSE 0 END) AS BIGINT) AS failed,
       CAST(COALESCE(SUM(input_tokens), 0) AS BIGINT) AS input_tokens,
       CAST(COALESCE(SUM(output_tokens), 0) AS BIGINT) AS output_tokens,
       CAST(SUM(CASE WHEN input_tokens IS NULL AND output_tokens IS NULL THEN 0 ELSE 1 END) AS BIGINT) AS with_tokens,
       CAST(COALESCE(SUM(cost_micros), 0) AS BIGINT) AS cost_micros, COUNT(cost_micros) AS with_cost,
       CAST(SUM(ended_at - COALESCE(started_at, created_at)) AS BIGINT) AS duration
  FROM (SELECT x.*, CASE CAST(:by AS TEXT) WHEN 'agent' THEN x.agent
                                           WHEN 'room' THEN x.room_id
                                           WHEN 'project' THEN COALESCE((SELECT r.project_id FROM rooms r
                                                                          WHERE r.id = x.room_id), '')
                                           WHEN 'day' THEN CAST((x.ended_at + CAST(:shift AS BIGINT)) / 86400000 AS TEXT)
                                           ELSE '' END AS group_key
          FROM runs x
         WHERE x.workspace_id = :workspace_id AND x.ended_at >= :since AND x.ended_at < :until AND x.status <> 'dry_run'
           AND (CAST(:agent AS TEXT) IS NULL OR x.agent = :agent)
           AND (CAST(:room_id AS TEXT) IS NULL OR x.room_id = :room_id)
           AND (CAST(:project_id AS TEXT) IS NULL
                OR EXISTS (SELECT 1 FROM rooms p WHERE p.id = x.room_id AND p.project_id = :project_id))
           AND EXISTS (SELECT 1 FROM room_viewers v WHERE v.room_id = x.room_id
                        AND ((v.kind = :kind AND v.principal = :principal)
                             OR (v.kind = :kind2 AND v.principal = :principal2)))) AS ended
 GROUP BY group_key
HAVING CAST(:after AS TEXT) IS NULL OR group_key > :after
 ORDER BY group_key LIMIT :limit;
