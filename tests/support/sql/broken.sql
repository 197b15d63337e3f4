-- How each rule over the rows of the bus could be broken, under the rule's name.

-- name: a_room_has_no_default_topic()
UPDATE rooms SET default_topic = NULL;

-- name: a_delivery_waits_for_nobody()
UPDATE deliveries SET waits = 1 WHERE status = 'pending';

-- name: a_delivery_waits_for_an_agent_that_is_gone()
UPDATE deliveries SET agent = 'gone' WHERE status = 'pending';

-- name: a_delivery_waits_with_deleted_words()
UPDATE messages SET deleted_at = 1;

-- name: a_delivery_is_in_another_place_than_its_message()
UPDATE messages SET topic_id = topic_id + 1 WHERE topic_id = (SELECT MIN(id) FROM topics);

-- name: a_delivery_has_more_attempts_than_fences()
UPDATE deliveries SET attempts = fence + 1;

-- name: a_live_run_has_lost_its_delivery()
UPDATE deliveries SET fence = fence + 1;

-- name: a_started_delivery_has_no_live_run()
UPDATE runs SET status = 'failed';

-- name: a_run_is_behind_its_events()
UPDATE runs SET last_seq = 0;

-- name: a_token_outlives_its_run()
UPDATE runs SET status = 'failed';

-- name: an_order_to_an_ended_run_is_open()
UPDATE runs SET status = 'failed';

-- name: a_question_of_an_ended_run_waits()
UPDATE runs SET status = 'failed';

-- name: a_debate_has_more_turns_than_set()
UPDATE debates SET taken = turns + 1;

-- name: a_task_has_a_number_its_project_has_not_given()
UPDATE projects SET next_task = 1;

-- name: a_task_rests_while_something_is_open_in_its_topic()
UPDATE tasks SET topic_id = (SELECT MIN(topic_id) FROM deliveries WHERE status = 'claimed');

-- name: a_task_is_in_progress_with_nothing_to_do()
UPDATE tasks SET status = 'in_progress';
