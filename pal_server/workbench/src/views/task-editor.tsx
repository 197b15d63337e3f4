import { Button, Modal, NativeSelect, Switch, Textarea, TextInput } from "@mantine/core";
import { useState } from "react";
import { changeTask } from "../api/tasks";
import { changesOf, formOf, type TaskForm } from "../state/task-form";
import { t } from "../text/text";
import { useSelect } from "../ui/hooks";
import type { Task } from "../wire/contract";
import settings from "./settings.module.css";

/** Everything that is said of a task. What was changed here is saved in one request, or nothing of it. */
export function TaskEditor({ task, onClose }: { task: Task; onClose: () => void }) {
  const [before] = useState(() => formOf(task));
  const [form, setForm] = useState(before);
  const [error, setError] = useState("");
  const agents = useSelect((state) => state.desk.agents);
  const users = useSelect((state) => state.desk.users);
  const changes = changesOf(before, form);
  const set = (changed: Partial<TaskForm>) => setForm({ ...form, ...changed });
  const save = async () => {
    try {
      if (changes !== null) await changeTask(task.id, changes);
      onClose();
    } catch (failure) {
      setError(failure instanceof Error ? failure.message : String(failure));
    }
  };
  const text = (name: "title" | "verification" | "type" | "dependsOn") => ({
    label: t(`task.field.${name}`),
    value: form[name],
    onChange: (event: React.ChangeEvent<HTMLInputElement>) => set({ [name]: event.currentTarget.value }),
  });
  const area = (name: "body" | "acceptance" | "paths" | "references" | "result") => ({
    autosize: true,
    minRows: name === "body" ? 4 : 2,
    maxRows: 14,
    label: t(`task.field.${name}`),
    value: form[name],
    onChange: (event: React.ChangeEvent<HTMLTextAreaElement>) => set({ [name]: event.currentTarget.value }),
  });
  return (
    <Modal
      opened
      size={640}
      onClose={onClose}
      title={`${task.code} ${task.title}`}
      closeButtonProps={{ "aria-label": t("confirm.close") }}
    >
      <form
        className={settings.form}
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <TextInput {...text("title")} data-autofocus required />
        <Textarea {...area("body")} />
        <Textarea {...area("acceptance")} description={t("task.lines")} />
        <TextInput {...text("verification")} description={t("task.verificationHint")} />
        <Switch
          label={t("task.field.verificationRequired")}
          checked={form.verificationRequired}
          onChange={(event) => set({ verificationRequired: event.currentTarget.checked })}
        />
        <NativeSelect
          label={t("runs.agent")}
          value={form.agent}
          onChange={(event) => set({ agent: event.currentTarget.value })}
          data={choices(Object.keys(agents), form.agent)}
        />
        <NativeSelect
          label={t("task.owner")}
          value={form.owner}
          onChange={(event) => set({ owner: event.currentTarget.value })}
          data={choices(Object.keys(users), form.owner)}
        />
        <TextInput {...text("type")} />
        <TextInput {...text("dependsOn")} description={t("task.dependsHint")} />
        <Textarea {...area("paths")} description={t("task.lines")} />
        <Textarea {...area("references")} description={t("task.lines")} />
        <Textarea {...area("result")} />
        {error && <p role="alert">{error}</p>}
        <div className={settings.end}>
          <Button onClick={onClose}>{t("confirm.cancel")}</Button>
          <Button type="submit" variant="filled" disabled={changes === null || form.title.trim() === ""}>
            {t("form.save")}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

/** Nobody, then all by name; who is there now although nobody knows them any more stays. */
function choices(known: readonly string[], now: string): { value: string; label: string }[] {
  const names = [...new Set([...known, ...(now ? [now] : [])])].sort();
  return [{ value: "", label: t("task.nobody") }, ...names.map((value) => ({ value, label: value }))];
}
