import { Link, useParams } from "@tanstack/react-router";
import { useSelect } from "../ui/hooks";
import { Missing } from "./missing";
import { Page } from "./page";
import { RunDetail, RunTitle, useRun } from "./run-detail";
import css from "./run-page.module.css";

/** One run over the full width. */
export function RunPage() {
  const { id } = useParams({ strict: false });
  const run = useRun(Number(id));
  const topic = useSelect((state) => (run ? state.desk.topics[run.topic]?.topic : undefined));
  const room = useSelect((state) => (run ? state.desk.rooms[run.room] : undefined));
  if (run === null) return <Missing isGone />;
  return (
    <Page
      title={<RunTitle as="h1" run={run} id={Number(id)} />}
      actions={
        run &&
        room && (
          <Link className={css.place} to="/r/$room/$topic" params={{ room: room.name, topic: String(run.topic) }}>
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
