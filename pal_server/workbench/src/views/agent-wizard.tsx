import "@mantine/core/styles/RadioCard.layer.css";
import "@mantine/core/styles/RadioIndicator.layer.css";
import { Button, Modal, NativeSelect, Radio, TextInput } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { helloCommand, onboardCommand } from "../state/agent-command";
import { newId } from "../state/store";
import { type TextKey, t } from "../text/text";
import { useSelect } from "../ui/hooks";
import { StatePill } from "../ui/state";
import type { Agent, RuntimeState } from "../wire/contract";
import { request } from "../wire/request";
import css from "./agent-wizard.module.css";
import { AddComputer } from "./computer-wizard";
import { Command } from "./copy";
import settings from "./settings.module.css";

const MODES: readonly Agent["mode"][] = ["ask", "accept_edits", "auto", "read_only", "plan"];
const STEPS = ["where", "what", "who"] as const;
type Step = (typeof STEPS)[number] | "done";
const WITHOUT_COMPUTER: RuntimeState = {
  name: "demo",
  available: true,
  version: null,
  note: "",
  capabilities: {},
  login: null,
  login_method: "",
  install: "",
};

/** A computer, a program on it, a name: three short steps, and the one command that does the same. */
export function AgentWizard({ onClose }: { onClose: () => void }) {
  const computers = useSelect((state) => state.desk.computers);
  const rooms = useSelect((state) => state.desk.rooms);
  const choices = Object.values(computers)
    .filter((one) => one.status !== "revoked")
    .sort((one, other) => Number(other.status === "online") - Number(one.status === "online"));
  const [step, setStep] = useState<Step>("where");
  const [isAdding, setAdding] = useState(false);
  const [computer, setComputer] = useState(choices[0]?.id ?? "");
  const runtimes = computers[computer]?.runtimes.length ? computers[computer].runtimes : [WITHOUT_COMPUTER];
  const [wanted, setRuntime] = useState("");
  const runtime = runtimes.find((one) => one.name === wanted) ?? runtimes.find((one) => one.available) ?? runtimes[0];
  const [command, setCommand] = useState("");
  const [key, setKey] = useState("");
  const [name, setName] = useState("");
  const [folder, setFolder] = useState("");
  const [mode, setMode] = useState<Agent["mode"]>("ask");
  const [room, setRoom] = useState(
    () => (Object.values(rooms).find((one) => one.name === "general") ?? Object.values(rooms)[0])?.id ?? "",
  );
  const [error, setError] = useState("");
  const [clientId] = useState(newId);
  const isCommand = runtime?.name === "command";
  const typed = onboardCommand({
    key,
    name,
    runtime: runtime?.name ?? "demo",
    computer: computers[computer]?.name ?? "",
    command: isCommand ? command : "",
    folder,
  });

  const create = async () => {
    try {
      await request("POST /api/agents", {
        body: {
          agent_key: key,
          display_name: name || key,
          runtime: runtime?.name ?? "demo",
          computer_id: computer || null,
          cwd: folder || null,
          command: isCommand ? command : null,
          mode,
          client_id: clientId,
        },
      });
      if (room) await request("POST /api/rooms/{room}/agents", { params: { room }, body: { agent: key } });
      setStep("done");
    } catch (failure) {
      setError(failure instanceof Error ? failure.message : String(failure));
    }
  };
  const at = STEPS.indexOf(step as (typeof STEPS)[number]);
  const go = (event: React.FormEvent) => {
    event.preventDefault();
    setError("");
    if (step === "who") void create();
    else setStep(STEPS[at + 1] ?? "who");
  };
  const isReady = step === "where" || (step === "what" ? !isCommand || command.trim() !== "" : key.trim() !== "");

  if (isAdding) {
    return (
      <AddComputer
        onClose={(made) => {
          setAdding(false);
          if (made) setComputer(made);
        }}
      />
    );
  }
  return (
    <Modal
      opened
      onClose={onClose}
      size="lg"
      title={t("agents.add")}
      closeButtonProps={{ "aria-label": t("confirm.close") }}
    >
      {step !== "done" && (
        <form className={settings.form} onSubmit={go}>
          <p className={css.place} aria-live="polite">
            {t("wizard.step", { n: at + 1, all: STEPS.length, what: t(`wizard.${STEPS[at] ?? "where"}` as TextKey) })}
          </p>
          {step === "where" && (
            <>
              <Radio.Group
                data-autofocus
                value={computer}
                onChange={setComputer}
                label={t("agents.computer")}
                className={css.choices ?? ""}
              >
                {choices.map((one) => (
                  <Radio.Card key={one.id} value={one.id} className={css.choice ?? ""}>
                    <Radio.Indicator size="xs" />
                    <b>{one.name}</b>
                    <small>
                      {t(`computers.${one.status}` as TextKey)} {one.os ?? ""}
                    </small>
                  </Radio.Card>
                ))}
                <Radio.Card value="" className={css.choice ?? ""}>
                  <Radio.Indicator size="xs" />
                  <b>{t("agents.nowhere")}</b>
                  <small>{t("wizard.nowhereHint")}</small>
                </Radio.Card>
              </Radio.Group>
              <div>
                <Button variant="subtle" onClick={() => setAdding(true)}>
                  {t("computers.add")}
                </Button>
              </div>
            </>
          )}
          {step === "what" && (
            <>
              <Radio.Group
                value={runtime?.name ?? ""}
                onChange={setRuntime}
                label={t("agents.runtime")}
                className={css.choices ?? ""}
              >
                {[...runtimes]
                  .sort((one, other) => Number(other.available) - Number(one.available))
                  .map((one) => (
                    <Radio.Card key={one.name} value={one.name} className={css.choice ?? ""}>
                      <Radio.Indicator size="xs" />
                      <b>{one.name}</b>
                      <small>
                        {one.available ? (one.version ?? "") : t("agents.unavailable")}
                        {one.login === "out" && `, ${t("wizard.loggedOut")}`}
                      </small>
                    </Radio.Card>
                  ))}
              </Radio.Group>
              {runtime && !runtime.available && (
                <div className={settings.form}>
                  <p className={settings.said}>{runtime.note || t("wizard.install")}</p>
                  {runtime.install && <Command>{runtime.install}</Command>}
                </div>
              )}
              {isCommand && (
                <TextInput
                  label={t("wizard.command")}
                  description={t("wizard.commandHint")}
                  value={command}
                  onChange={(event) => setCommand(event.currentTarget.value)}
                />
              )}
            </>
          )}
          {step === "who" && (
            <>
              <TextInput
                data-autofocus
                label={t("agents.key")}
                description={t("agents.keyHint")}
                value={key}
                onChange={(event) => setKey(event.currentTarget.value)}
              />
              <TextInput
                label={t("agents.name")}
                value={name}
                onChange={(event) => setName(event.currentTarget.value)}
              />
              <TextInput
                label={t("wizard.folder")}
                description={t("wizard.folderHint")}
                value={folder}
                onChange={(event) => setFolder(event.currentTarget.value)}
              />
              <NativeSelect
                label={t("agents.mode")}
                value={mode}
                onChange={(event) => setMode(event.currentTarget.value as Agent["mode"])}
                data={MODES.map((one) => ({ value: one, label: t(`mode.${one}` as TextKey) }))}
              />
              <NativeSelect
                label={t("wizard.room")}
                value={room}
                onChange={(event) => setRoom(event.currentTarget.value)}
                data={[
                  { value: "", label: t("wizard.noRoom") },
                  ...Object.values(rooms).map((one) => ({ value: one.id, label: one.name })),
                ]}
              />
              <p className={settings.said}>{t("wizard.same")}</p>
              <Command>{typed}</Command>
            </>
          )}
          {error && <p role="alert">{error}</p>}
          <div className={settings.end}>
            {at > 0 && <Button onClick={() => setStep(STEPS[at - 1] ?? "where")}>{t("wizard.back")}</Button>}
            <Button type="submit" variant="filled" disabled={!isReady}>
              {step === "who" ? t("agents.create") : t("wizard.next")}
            </Button>
          </div>
        </form>
      )}
      {step === "done" && (
        <div className={settings.form}>
          <div>
            <StatePill status="succeeded" word={t("wizard.made", { agent: key })} />
          </div>
          <p className={settings.said}>{t("first.helloHint", { agent: key })}</p>
          <Command>{helloCommand(key, rooms[room]?.name ?? "general")}</Command>
          <div className={settings.end}>
            {rooms[room] && (
              <Link to="/r/$room" params={{ room: rooms[room].name }} onClick={onClose} className={css.go ?? ""}>
                {t("wizard.openRoom", { room: rooms[room].name })}
              </Link>
            )}
            <Button variant="filled" onClick={onClose}>
              {t("confirm.close")}
            </Button>
          </div>
        </div>
      )}
    </Modal>
  );
}
