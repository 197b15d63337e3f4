import { Button } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { Check } from "lucide-react";
import { useEffect, useState } from "react";
import { helloCommand } from "../state/agent-command";
import { t } from "../text/text";
import { useSelect } from "../ui/hooks";
import { later } from "../ui/later";
import { Command } from "./copy";
import css from "./welcome.module.css";

const AddComputer = later(() => import("./computer-wizard").then((found) => found.AddComputer));
const AgentWizard = later(() => import("./agent-wizard").then((found) => found.AgentWizard));

/** The first screen: what is still to be done; when all is done the first room. */
export function Welcome() {
  const navigate = useNavigate();
  const computers = useSelect((state) => state.desk.computers);
  const agents = useSelect((state) => state.desk.agents);
  const rooms = useSelect((state) => state.desk.rooms);
  const topics = useSelect((state) => state.desk.topics);
  const hasComputer = Object.values(computers).some((one) => one.last_seen_at !== null);
  const first = Object.values(agents)[0];
  const hasSpoken = Object.values(topics).some((one) => one.last !== null);
  const room = Object.values(rooms).find((one) => one.name === "general") ?? Object.values(rooms)[0];
  const [over, setOver] = useState<"computer" | "agent" | null>(null);
  const isReady = hasComputer && first !== undefined && hasSpoken && over === null;
  useEffect(() => {
    if (isReady && room) void navigate({ to: "/r/$room", params: { room: room.name }, replace: true });
  }, [isReady, room, navigate]);
  return (
    <div className={css.welcome}>
      <h1>{t("first.title")}</h1>
      <ol>
        <li data-done={hasComputer || undefined}>
          <Mark isDone={hasComputer} />
          <div>
            <b>{t("first.computer")}</b>
            {!hasComputer && (
              <>
                <p>{t("first.computerHint")}</p>
                <Command>pal up</Command>
                <Button className={css.act ?? ""} onClick={() => setOver("computer")}>
                  {t("computers.add")}
                </Button>
              </>
            )}
          </div>
        </li>
        <li data-done={first !== undefined || undefined}>
          <Mark isDone={first !== undefined} />
          <div>
            <b>{t("first.agent")}</b>
            {first === undefined && (
              <>
                <p>{t("first.agentHint")}</p>
                <Button className={css.act ?? ""} onClick={() => setOver("agent")}>
                  {t("agents.add")}
                </Button>
              </>
            )}
          </div>
        </li>
        <li data-done={hasSpoken || undefined}>
          <Mark isDone={hasSpoken} />
          <div>
            <b>{t("first.hello")}</b>
            <p>{t("first.helloHint", { agent: first?.key ?? "demo" })}</p>
            {first && room && <Command>{helloCommand(first.key, room.name)}</Command>}
            {room && (
              <Button
                variant={first ? "filled" : "default"}
                className={css.act ?? ""}
                renderRoot={(props) => <Link to="/r/$room" params={{ room: room.name }} {...props} />}
              >
                {t("first.open", { room: room.name })}
              </Button>
            )}
          </div>
        </li>
      </ol>
      {over === "computer" && <AddComputer onClose={() => setOver(null)} />}
      {over === "agent" && <AgentWizard onClose={() => setOver(null)} />}
    </div>
  );
}

function Mark({ isDone }: { isDone: boolean }) {
  return <span className={css.mark}>{isDone && <Check size={14} aria-label={t("first.done")} />}</span>;
}
