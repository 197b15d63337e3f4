import { Button, Modal, NativeSelect, Switch, Textarea, TextInput } from "@mantine/core";
import { useState } from "react";
import { type TextKey, t } from "../text/text";
import { Face } from "../ui/face";
import { useSelect } from "../ui/hooks";
import type { Agent } from "../wire/contract";
import { request } from "../wire/request";
import { AgentWizard } from "./agent-wizard";
import { confirm } from "./dialogs";
import css from "./settings.module.css";
import table from "./table.module.css";
import { tell, tellFailure } from "./tell";

type Mode = Agent["mode"];
const MODES: readonly Mode[] = ["ask", "accept_edits", "auto", "read_only", "plan", "bypass"];

export function AgentsPage() {
  const agents = useSelect((state) => state.desk.agents);
  const computers = useSelect((state) => state.desk.computers);
  const [edited, setEdited] = useState<Agent | "new" | null>(null);
  const all = Object.values(agents).sort((one, other) => one.key.localeCompare(other.key));
  return (
    <div className={css.wide}>
      <div className={css.top}>
        <Button variant="filled" onClick={() => setEdited("new")}>
          {t("agents.add")}
        </Button>
      </div>
      {all.length === 0 && <p className={table.none}>{t("agents.none")}</p>}
      {all.length > 0 && (
        <div className={table.wrap}>
          <table className={table.table}>
            <thead>
              <tr>
                <th>{t("agents.name")}</th>
                <th>{t("agents.runtime")}</th>
                <th>{t("agents.computer")}</th>
                <th>{t("agents.mode")}</th>
                <th />
              </tr>
            </thead>
            <tbody>
              {all.map((agent) => (
                <tr key={agent.key}>
                  <td>
                    <span className={table.who}>
                      <Face kind="agent" name={agent.key} size={24} />
                      <span>
                        {agent.display_name} <small>@{agent.key}</small>
                      </span>
                    </span>
                  </td>
                  <td title={agent.runtime_note}>
                    {agent.runtime}{" "}
                    {agent.runtime_state === "unavailable" && (
                      <small className={table.quiet}>{t("agents.unavailable")}</small>
                    )}
                  </td>
                  <td className={table.quiet}>
                    {agent.computer ? computers[agent.computer]?.name : t("agents.nowhere")}
                  </td>
                  <td className={table.quiet}>{agent.enabled ? t(`mode.${agent.mode}` as TextKey) : t("agent.off")}</td>
                  <td data-right>
                    <Button onClick={() => setEdited(agent)}>{t("message.edit")}</Button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {edited === "new" && <AgentWizard onClose={() => setEdited(null)} />}
      {edited !== null && edited !== "new" && <AgentForm agent={edited} onClose={() => setEdited(null)} />}
    </div>
  );
}

function AgentForm({ agent, onClose }: { agent: Agent; onClose: () => void }) {
  const computers = useSelect((state) => state.desk.computers);
  const role = useSelect((state) => state.desk.me.role);
  const choices = Object.values(computers).filter((one) => one.status !== "revoked");
  const { key } = agent;
  const [name, setName] = useState(agent.display_name);
  const [computer, setComputer] = useState(agent.computer ?? "");
  const runtimes = computers[computer]?.runtimes ?? [];
  const [runtime, setRuntime] = useState(agent.runtime);
  const [mode, setMode] = useState<Mode>(agent.mode);
  const [model, setModel] = useState(agent.model ?? "");
  const [folder, setFolder] = useState(agent.cwd ?? "");
  const [instructions, setInstructions] = useState(agent.instructions);
  const [isOn, setOn] = useState(agent.enabled);
  const [error, setError] = useState("");

  const save = async () => {
    try {
      await request("PATCH /api/agents/{key}", {
        params: { key },
        body: {
          display_name: name,
          enabled: isOn,
          runtime,
          mode,
          model: model || null,
          cwd: folder || null,
          instructions,
        },
      });
      if ((agent.computer ?? "") !== computer) {
        await request("POST /api/agents/{key}/assignment", {
          params: { key },
          body: { computer_id: computer || null },
        });
      }
      tell(t("settings.saved"));
      onClose();
    } catch (failure) {
      setError(failure instanceof Error ? failure.message : String(failure));
    }
  };
  const remove = async () => {
    const isSure = await confirm({
      title: t("agents.delete"),
      text: t("agents.deleteAsk", { name: agent.display_name }),
      confirm: t("agents.delete"),
      typed: key,
    });
    if (isSure) await request("DELETE /api/agents/{key}", { params: { key } }).then(onClose, tellFailure);
  };
  const modes = MODES.filter((one) => one !== "bypass" || role === "owner" || role === "admin" || mode === "bypass");
  return (
    <Modal
      opened
      onClose={onClose}
      title={`@${agent.key}`}
      size="lg"
      closeButtonProps={{ "aria-label": t("confirm.close") }}
    >
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <TextInput label={t("agents.name")} value={name} onChange={(event) => setName(event.currentTarget.value)} />
        <NativeSelect
          label={t("agents.computer")}
          value={computer}
          onChange={(event) => setComputer(event.currentTarget.value)}
          data={[
            { value: "", label: t("agents.nowhere") },
            ...choices.map((one) => ({ value: one.id, label: one.name })),
          ]}
        />
        <NativeSelect
          label={t("agents.runtime")}
          value={runtime}
          onChange={(event) => setRuntime(event.currentTarget.value)}
          data={[...new Set([runtime, ...runtimes.map((one) => one.name), "demo"])].map((one) => {
            const found = runtimes.find((each) => each.name === one);
            return { value: one, label: found && !found.available ? `${one} (${t("agents.unavailable")})` : one };
          })}
        />
        <NativeSelect
          label={t("agents.mode")}
          value={mode}
          onChange={(event) => setMode(event.currentTarget.value as Mode)}
          data={modes.map((one) => ({ value: one, label: t(`mode.${one}` as TextKey) }))}
        />
        <TextInput
          label={t("wizard.folder")}
          description={t("wizard.folderHint")}
          value={folder}
          onChange={(event) => setFolder(event.currentTarget.value)}
        />
        <TextInput label={t("agents.model")} value={model} onChange={(event) => setModel(event.currentTarget.value)} />
        <Textarea
          label={t("agents.instructions")}
          autosize
          minRows={3}
          maxRows={12}
          value={instructions}
          onChange={(event) => setInstructions(event.currentTarget.value)}
        />
        <Switch label={t("agents.enabled")} checked={isOn} onChange={(event) => setOn(event.currentTarget.checked)} />
        {error && <p role="alert">{error}</p>}
        <div className={css.end}>
          <Button variant="subtle" onClick={() => void remove()}>
            {t("agents.delete")}
          </Button>
          <Button onClick={onClose}>{t("confirm.cancel")}</Button>
          <Button type="submit" variant="filled">
            {t("agents.save")}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
