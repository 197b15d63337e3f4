import { Button, Modal, NativeSelect, TextInput } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { SquareTerminal } from "lucide-react";
import { useEffect, useState } from "react";
import { openTerminal } from "../api/terminals";
import { ignorePassing, newId } from "../state/store";
import { ago, type TextKey, t } from "../text/text";
import { useNow, useSelect, useStore } from "../ui/hooks";
import { StatePill } from "../ui/state";
import type { Terminal } from "../wire/contract";
import { useFilters } from "./filters";
import { Page } from "./page";
import settings from "./settings.module.css";
import table from "./table.module.css";
import { LOOKS, nameOf } from "./terminal-name";

/** The terminals that are open, in all rooms one sees. */
export function TerminalsView() {
  const [{ room = "" }] = useFilters();
  const terminals = useSelect((state) => state.desk.terminals);
  const role = useSelect((state) => state.desk.me.role);
  const [isOpening, setOpening] = useState(false);
  const now = useNow();
  const all = Object.values(terminals)
    .filter((one) => room === "" || one.room === room)
    .sort((one, other) => other.created_at - one.created_at);
  return (
    <Page
      title={t("nav.terminals")}
      actions={
        role !== "viewer" && (
          <Button variant="filled" onClick={() => setOpening(true)}>
            {t("terminal.new")}
          </Button>
        )
      }
    >
      {all.length === 0 && <p className={table.none}>{t("terminal.none")}</p>}
      {all.length > 0 && (
        <div className={table.wrap}>
          <table className={table.table}>
            <thead>
              <tr>
                <th>{t("nav.terminals")}</th>
                <th>{t("runs.state")}</th>
                <th>{t("runs.topic")}</th>
                <th>{t("agents.computer")}</th>
                <th>{t("terminal.by")}</th>
                <th>{t("runs.began")}</th>
              </tr>
            </thead>
            <tbody>
              {all.map((one) => (
                <Row key={one.id} one={one} now={now} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {isOpening && <OpenDialog onClose={() => setOpening(false)} />}
    </Page>
  );
}

function Row({ one, now }: { one: Terminal; now: number }) {
  const room = useSelect((state) => state.desk.rooms[one.room]);
  const topic = useSelect((state) => state.desk.topics[one.topic]?.topic);
  const computer = useSelect((state) => state.desk.computers[one.computer]);
  return (
    <tr>
      <td>
        <Link to="/terminals/$id" params={{ id: one.id }} className={table.who}>
          <SquareTerminal size={17} aria-hidden />
          <span>
            {nameOf(one)} <small>{one.folder ?? ""}</small>
          </span>
        </Link>
      </td>
      <td>
        <StatePill status={LOOKS[one.state]} word={t(`terminal.${one.state}` as TextKey)} />
      </td>
      <td>
        {room && (
          <Link to="/r/$room/$topic" params={{ room: room.name, topic: String(one.topic) }}>
            {room.name} › {topic?.title}
          </Link>
        )}
      </td>
      <td className={table.quiet}>{computer?.name}</td>
      <td className={table.quiet}>{one.opened_by}</td>
      <td className={table.quiet}>{ago(one.created_at, now)}</td>
    </tr>
  );
}

interface OpenProps {
  /** Where it belongs; without it one chooses. */
  room?: string;
  topic?: number;
  onClose: () => void;
}

/** A shell on a computer, or an agent's own program: in a topic, where it is recorded. */
export function OpenDialog({ room: given, topic, onClose }: OpenProps) {
  const store = useStore();
  const navigate = useNavigate();
  const rooms = useSelect((state) => state.desk.rooms);
  const computers = useSelect((state) => state.desk.computers);
  const agents = useSelect((state) => state.desk.agents);
  const [room, setRoom] = useState(given ?? Object.keys(rooms)[0] ?? "");
  const [kind, setKind] = useState<Terminal["kind"]>("shell");
  const [agent, setAgent] = useState("");
  const [computer, setComputer] = useState("");
  const [folder, setFolder] = useState("");
  const [error, setError] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [clientId] = useState(newId);
  useEffect(() => void import("./terminal-screen").catch(ignorePassing), []); // there when it is typed into
  const open = async () => {
    setBusy(true);
    setError("");
    try {
      const made = await openTerminal({
        room,
        topic: topic ?? null,
        kind,
        agent: agent || null,
        computer: kind === "shell" ? computer || null : null,
        folder: kind === "shell" ? folder || null : null,
        client_id: clientId,
      });
      store.takeTerminal(made);
      onClose();
      void navigate({ to: "/terminals/$id", params: { id: made.id } });
    } catch (failure) {
      setError(failure instanceof Error ? failure.message : String(failure));
      setBusy(false);
    }
  };
  return (
    <Modal opened onClose={onClose} title={t("terminal.new")} closeButtonProps={{ "aria-label": t("confirm.close") }}>
      <form
        className={settings.form}
        onSubmit={(event) => {
          event.preventDefault();
          void open();
        }}
      >
        {given === undefined && (
          <NativeSelect
            label={t("links.room")}
            value={room}
            onChange={(event) => setRoom(event.currentTarget.value)}
            data={Object.values(rooms).map((one) => ({ value: one.id, label: one.name }))}
          />
        )}
        <NativeSelect
          data-autofocus
          label={t("terminal.kind")}
          value={kind}
          onChange={(event) => {
            const wanted = event.currentTarget.value as Terminal["kind"];
            setKind(wanted);
            if (wanted === "agent" && agent === "") setAgent(Object.keys(agents)[0] ?? "");
          }}
          data={[
            { value: "shell", label: t("terminal.shell") },
            { value: "agent", label: t("terminal.program") },
          ]}
        />
        <NativeSelect
          label={t(kind === "agent" ? "agents.name" : "terminal.folderOf")}
          value={agent}
          onChange={(event) => setAgent(event.currentTarget.value)}
          data={[
            ...(kind === "shell" ? [{ value: "", label: t("terminal.nobody") }] : []),
            ...Object.keys(agents).map((key) => ({ value: key, label: key })),
          ]}
        />
        {kind === "shell" && (
          <>
            <NativeSelect
              label={t("agents.computer")}
              value={computer}
              onChange={(event) => setComputer(event.currentTarget.value)}
              data={[
                { value: "", label: t("terminal.itsComputer") },
                ...Object.values(computers)
                  .filter((one) => one.status === "online")
                  .map((one) => ({ value: one.id, label: one.name })),
              ]}
            />
            <TextInput
              label={t("wizard.folder")}
              description={t("terminal.folderHint")}
              value={folder}
              onChange={(event) => setFolder(event.currentTarget.value)}
            />
          </>
        )}
        {kind === "agent" && <p className={settings.said}>{t("terminal.agentHint", { agent })}</p>}
        {error && <p role="alert">{error}</p>}
        <div className={settings.end}>
          <Button onClick={onClose}>{t("confirm.cancel")}</Button>
          <Button type="submit" variant="filled" loading={isBusy} disabled={room === ""}>
            {t("terminal.openIt")}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
