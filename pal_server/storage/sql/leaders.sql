-- Leaders: chores that exactly one server does at a time.

-- name: hold(chore, holder, until, now)
-- No row back means that another server holds it.
INSERT INTO leaders (chore, holder, held_until)
VALUES (:chore, :holder, :until)
ON CONFLICT (chore) DO UPDATE
   SET holder = excluded.holder, held_until = excluded.held_until
 WHERE leaders.holder = excluded.holder OR leaders.held_until <= :now
RETURNING holder;

-- name: let_go(chore, holder)
DELETE FROM leaders WHERE chore = :chore AND holder = :holder;
