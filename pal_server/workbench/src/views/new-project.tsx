import { Button, Modal, Textarea, TextInput } from "@mantine/core";
import { useState } from "react";
import { createProject } from "../api/projects";
import { t } from "../text/text";
import { useStore } from "../ui/hooks";
import type { Project } from "../wire/contract";
import settings from "./settings.module.css";

export function NewProject({ onClose, onMade }: { onClose: () => void; onMade: (made: Project) => void }) {
  const store = useStore();
  const [key, setKey] = useState("");
  const [goal, setGoal] = useState("");
  const [error, setError] = useState("");
  const create = async () => {
    try {
      const made = await createProject(key.trim(), goal);
      await store.until((state) => state.desk.projects[made.id] !== undefined);
      onMade(made);
    } catch (failure) {
      setError(failure instanceof Error ? failure.message : String(failure));
    }
  };
  return (
    <Modal opened onClose={onClose} title={t("project.new")} closeButtonProps={{ "aria-label": t("confirm.close") }}>
      <form
        className={settings.form}
        onSubmit={(event) => {
          event.preventDefault();
          void create();
        }}
      >
        <TextInput
          data-autofocus
          label={t("project.key")}
          description={t("project.keyHint")}
          value={key}
          error={error}
          onChange={(event) => setKey(event.currentTarget.value)}
        />
        <Textarea
          autosize
          minRows={2}
          maxRows={8}
          label={t("project.goal")}
          value={goal}
          onChange={(event) => setGoal(event.currentTarget.value)}
        />
        <div className={settings.end}>
          <Button onClick={onClose}>{t("confirm.cancel")}</Button>
          <Button type="submit" variant="filled" disabled={key.trim() === ""}>
            {t("project.create")}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
