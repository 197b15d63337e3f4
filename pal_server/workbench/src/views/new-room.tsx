import { Button, Modal, Switch, TextInput } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { newId } from "../state/store";
import { t } from "../text/text";
import { useStore } from "../ui/hooks";
import { request } from "../wire/request";

/** `project` is the id of the one it will belong to; empty: none. */
export function NewRoom({ project, onClose }: { project: string; onClose: () => void }) {
  const store = useStore();
  const navigate = useNavigate();
  const [name, setName] = useState("");
  const [isPrivate, setPrivate] = useState(false);
  const [error, setError] = useState("");
  const create = async () => {
    try {
      const visibility = isPrivate ? "private" : "workspace";
      const { room } = await request("POST /api/rooms", {
        body: { name: name.trim(), visibility, project: project || null, client_id: newId() },
      });
      await store.until((state) => state.desk.rooms[room.id] !== undefined);
      onClose();
      await navigate({ to: "/r/$room", params: { room: room.name } });
    } catch (failure) {
      setError(failure instanceof Error ? failure.message : String(failure));
    }
  };
  return (
    <Modal opened onClose={onClose} title={t("nav.newRoom")} closeButtonProps={{ "aria-label": t("confirm.close") }}>
      <form
        style={{ display: "grid", gap: 16 }}
        onSubmit={(event) => {
          event.preventDefault();
          void create();
        }}
      >
        <TextInput
          data-autofocus
          label={t("room.name")}
          description={t("room.nameHint")}
          value={name}
          error={error}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Switch
          label={t("room.private")}
          checked={isPrivate}
          onChange={(event) => setPrivate(event.currentTarget.checked)}
        />
        <div style={{ display: "flex", justifyContent: "flex-end", gap: 8 }}>
          <Button onClick={onClose}>{t("confirm.cancel")}</Button>
          <Button type="submit" variant="filled" disabled={name.trim() === ""}>
            {t("room.create")}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
