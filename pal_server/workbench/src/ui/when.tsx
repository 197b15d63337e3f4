import { clock, dateTime } from "../text/text";

/** The time something was said; its day, too, when a pointer rests on it. That is put in words then: they are dear, and there are many rows. */
export function When({ at, className }: { at: number; className?: string | undefined }) {
  return (
    <time
      className={className}
      dateTime={new Date(at).toISOString()}
      onPointerEnter={(event) => {
        event.currentTarget.title = dateTime(at);
      }}
    >
      {clock(at)}
    </time>
  );
}
