import { Button, Modal, NativeSelect, Textarea, TextInput } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type TextKey, t } from "../text/text";
import { Face } from "../ui/face";
import { useSelect } from "../ui/hooks";
import type { Member, Room } from "../wire/contract";
import { request } from "../wire/request";
import css from "./room-dialog.module.css";
import { tellFailure } from "./tell";

type Mode = NonNullable<Member["mode"]>;
const MODES: readonly Mode[] = ["mentions", "all", "periodic", "muted", "off"];

/** What a room is called, what its agents are told, and who is in it. */
export function RoomDialog({ room, onClose }: { room: Room; onClose: () => void }) {
  const queries = useQueryClient();
  const agents = useSelect((state) => state.desk.agents);
  const present = useSelect((state) => state.desk.present);
  const [title, setTitle] = useState(room.title);
  const [rules, setRules] = useState(room.rules);
  const [project, setProject] = useState(room.project ?? "");
  const known = useSelect((state) => state.desk.projects);
  const projects = Object.values(known).filter((one) => one.archived_at === null || one.id === room.project);
  const isHome = Object.values(known).some((one) => one.default_room === room.id);
  const key = ["members", room.id];
  const { data: members = [] } = useQuery({
    queryKey: key,
    queryFn: () =>
      request("GET /api/rooms/{room}/members", { params: { room: room.id }, query: { limit: 200 } }).then(
        (found) => found.members,
      ),
  });
  const invite = (agent: string, mode: Mode) =>
    request("POST /api/rooms/{room}/agents", { params: { room: room.id }, body: { agent, mode } }).then(
      () => queries.invalidateQueries({ queryKey: key }),
      tellFailure,
    );
  const outside = Object.keys(agents).filter(
    (agent) => !members.some((one) => one.kind === "agent" && one.name === agent),
  );
  const isMoved = project !== (room.project ?? "");
  const save = () =>
    request("PATCH /api/rooms/{room}", {
      params: { room: room.id },
      body: { title, rules, project: project || null },
    }).then(onClose, tellFailure);
  return (
    <Modal
      opened
      onClose={onClose}
      title={`# ${room.name}`}
      size="lg"
      closeButtonProps={{ "aria-label": t("confirm.close") }}
    >
      <div className={css.form}>
        <TextInput label={t("room.title")} value={title} onChange={(event) => setTitle(event.currentTarget.value)} />
        <Textarea
          label={t("room.rules")}
          description={t("room.rulesHint")}
          autosize
          minRows={3}
          maxRows={12}
          value={rules}
          onChange={(event) => setRules(event.currentTarget.value)}
        />
        {projects.length > 0 && (
          <NativeSelect
            label={t("project.of")}
            value={project}
            disabled={isHome}
            onChange={(event) => setProject(event.currentTarget.value)}
            data={[
              { value: "", label: t("project.none") },
              ...projects.map((one) => ({ value: one.id, label: one.name })),
            ]}
          />
        )}
        <div className={css.end}>
          <Button
            variant="filled"
            onClick={() => void save()}
            disabled={title === room.title && rules === room.rules && !isMoved}
          >
            {t("form.save")}
          </Button>
        </div>
        <h3>{t("topic.members")}</h3>
        <ul className={css.members}>
          {members.map((one) => (
            <li key={`${one.kind}:${one.name}`}>
              <Face
                kind={one.kind}
                name={one.name}
                label={one.display_name}
                size={26}
                dot={one.kind === "user" && present[one.name] ? "present" : null}
              />
              <span>
                {one.display_name || one.name} <small>{one.runtime ?? one.role ?? ""}</small>
              </span>
              {one.kind === "agent" && (
                <NativeSelect
                  aria-label={`${one.name}: ${t("room.mode")}`}
                  size="xs"
                  value={one.mode ?? "mentions"}
                  onChange={(event) => void invite(one.name, event.currentTarget.value as Mode)}
                  data={MODES.map((mode) => ({ value: mode, label: t(`room.mode.${mode}` as TextKey) }))}
                />
              )}
            </li>
          ))}
        </ul>
        {outside.length > 0 && (
          <NativeSelect
            aria-label={t("room.addAgent")}
            value=""
            onChange={(event) => event.currentTarget.value && void invite(event.currentTarget.value, "mentions")}
            data={[
              { value: "", label: t("room.addAgent") },
              ...outside.map((agent) => ({ value: agent, label: agent })),
            ]}
          />
        )}
      </div>
    </Modal>
  );
}
