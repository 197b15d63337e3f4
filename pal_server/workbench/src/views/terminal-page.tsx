import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { Eye } from "lucide-react";
import { useCallback, useState } from "react";
import { closeTerminal, getTerminal } from "../api/terminals";
import { type TextKey, t } from "../text/text";
import { useNow, useSelect } from "../ui/hooks";
import { later } from "../ui/later";
import { StatePill } from "../ui/state";
import type { Terminal } from "../wire/contract";
import { confirm } from "./dialogs";
import { Missing } from "./missing";
import { Page } from "./page";
import { tellFailure } from "./tell";
import css from "./terminal.module.css";
import { LOOKS, nameOf } from "./terminal-name";

const Screen = later(() => import("./terminal-screen").then((found) => found.TerminalScreen));

/** How it stands, as its socket says; before that, as the list knows it. */
export interface Standing {
  /** Null: nobody has said. */
  mayType: boolean | null;
  state: Terminal["state"];
  reason: string;
  retryAt: number | null;
  /** Characters that were typed and wait for it. */
  waiting: number;
  exit: number | null;
}

/** One terminal over the whole page. */
export function TerminalPage() {
  const { id = "" } = useParams({ strict: false });
  const known = useSelect((state) => state.desk.terminals[id]);
  const { data, error } = useQuery({
    queryKey: ["terminal", id],
    queryFn: () => getTerminal(id),
    enabled: known === undefined,
    retry: false,
  });
  const terminal = known ?? data;
  if (error && !terminal) return <Missing isGone />;
  if (!terminal) return null;
  return <Opened key={id} terminal={terminal} />;
}

/** One line above the screen: why what is typed is not heard at once, or how it ended. */
function noteOf(said: Standing, now: number): string {
  const { state, reason, retryAt, waiting, exit } = said;
  const waits = waiting > 0 ? t("terminal.waits", { n: waiting }) : "";
  if (retryAt !== null)
    return `${t("terminal.lost", { n: Math.max(0, Math.ceil((retryAt - now) / 1000)) })} ${waits}`.trim();
  if (state === "opening") return reason || `${t("terminal.opens")} ${waits}`.trim();
  return exit === null ? reason || waits : `${reason} ${t("run.exit", { code: exit })}`;
}

function Opened({ terminal }: { terminal: Terminal }) {
  const { id } = terminal;
  const [said, setSaid] = useState<Standing>({
    mayType: null,
    state: terminal.state,
    reason: terminal.reason ?? "",
    retryAt: null,
    waiting: 0,
    exit: terminal.exit,
  });
  const onStanding = useCallback((change: Partial<Standing>) => setSaid((before) => ({ ...before, ...change })), []);
  const now = useNow(1_000);
  const room = useSelect((state) => state.desk.rooms[terminal.room]);
  const topic = useSelect((state) => state.desk.topics[terminal.topic]?.topic);
  const computer = useSelect((state) => state.desk.computers[terminal.computer]);
  const lives = said.state !== "closed" && said.state !== "failed";
  const close = async () => {
    const isSure = await confirm({
      title: t("terminal.close"),
      text: t("terminal.closeAsk", { name: nameOf(terminal) }),
      confirm: t("terminal.close"),
    });
    if (isSure) await closeTerminal(id).catch(tellFailure);
  };
  return (
    <Page
      isPlain
      title={nameOf(terminal)}
      note={computer?.name}
      actions={
        <div className={css.bar} data-terminal-bar data-may-type={said.mayType || undefined}>
          {room && (
            <Link
              to="/r/$room/$topic"
              params={{ room: room.name, topic: String(terminal.topic) }}
              className={css.topic}
            >
              {room.name} › {topic?.title}
            </Link>
          )}
          {lives && said.state === "open" && said.mayType === false && (
            <span className={css.badge}>
              <Eye size={13} aria-hidden />
              {t("terminal.readOnly")}
            </span>
          )}
          <StatePill status={LOOKS[said.state]} word={t(`terminal.${said.state}` as TextKey)} />
          {lives && said.mayType && <Button onClick={() => void close()}>{t("terminal.close")}</Button>}
        </div>
      }
    >
      <div className={css.page}>
        <p className={css.note} role="status" data-away={said.retryAt !== null || undefined}>
          {noteOf(said, now)}
        </p>
        <Screen id={id} onStanding={onStanding} />
      </div>
    </Page>
  );
}
