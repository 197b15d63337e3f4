import { Link, useParams } from "@tanstack/react-router";
import { useSelect } from "../ui/hooks";
import { Page } from "./page";
import { RunDetail, RunTitle, useRun } from "./run-detail";

/** One run over the full width. */
export function RunPage() {
  const { id } = useParams({ strict: false });
  const run = useRun(Number(id));
  const topic = useSelect((state) => (run ? state.desk.topics[run.topic]?.topic : undefined));
  const room = useSelect((state) => (run ? state.desk.rooms[run.room] : undefined));
  return (
    <Page
      title={<RunTitle run={run} id={Number(id)} />}
      actions={
        run &&
        room && (
          <Link to="/r/$room/$topic" params={{ room: room.name, topic: String(run.topic) }}>
            {room.name} › {topic?.title}
          </Link>
        )
      }
      isPlain
    >
      {run && <RunDetail run={run} />}
    </Page>
  );
}
