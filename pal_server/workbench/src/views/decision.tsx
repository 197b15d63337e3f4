import { Button, Modal, NativeSelect, Textarea, TextInput } from "@mantine/core";
import { useState } from "react";
import { answerDecision, proposeDecision, supersedeDecision } from "../api/projects";
import { ago, dateTime, type TextKey, t } from "../text/text";
import { ProjectContext } from "../ui/code-link";
import { Go } from "../ui/go";
import { useNow, useSelect } from "../ui/hooks";
import { Markdown } from "../ui/markdown";
import type { Decision, Project } from "../wire/contract";
import { ask, confirm } from "./dialogs";
import css from "./project.module.css";
import settings from "./settings.module.css";
import { tellFailure } from "./tell";

export const DECISION_STATES = [
  "proposed",
  "approved",
  "rejected",
  "superseded",
] as const satisfies Decision["status"][];

interface Props {
  one: Decision;
  mayWrite: boolean;
  /** Of a list of several projects: its own is named. */
  withProject?: boolean;
}

/** A decision: what it says, why and by whom; answered in place while it waits. */
export function OneDecision({ one, mayWrite, withProject = false }: Props) {
  const now = useNow();
  const project = useSelect((state) => state.desk.projects[one.project]);
  const room = useSelect((state) => (one.room === null ? undefined : state.desk.rooms[one.room]));
  const reject = async () => {
    const reason = await ask({ title: t("decisions.rejectNamed", { code: one.code }), confirm: t("decisions.reject") });
    if (reason !== null) await answerDecision(one, "deny", reason || null).catch(tellFailure);
  };
  const supersede = async () => {
    const isSure = await confirm({
      title: t("decisions.supersede"),
      text: t("decisions.supersedeAsk", { code: one.code }),
      confirm: t("decisions.supersede"),
    });
    if (isSure) await supersedeDecision(one).catch(tellFailure);
  };
  return (
    <li data-decision={one.code} data-status={one.status}>
      <details>
        <summary>
          <code>{one.code}</code>
          <span className={css.title}>{one.title}</span>
          {withProject && project && <small className={css.state}>{project.name}</small>}
          <span className={css.state} data-status={one.status}>
            {t(`decisions.${one.status}` as TextKey)}
          </span>
        </summary>
        <div className={css.more}>
          {one.rationale && (
            <ProjectContext value={one.project}>
              <Markdown text={one.rationale} />
            </ProjectContext>
          )}
          <p>
            {t("decisions.by", { name: one.proposed_by })}
            {one.decided_by !== null && `, ${t("decisions.settledBy", { name: one.decided_by })}`}
            {one.reason !== null && `: ${one.reason}`}
            {one.superseded_by !== null && `, ${t("decisions.replacedBy", { code: one.superseded_by })}`}
            {", "}
            <time title={dateTime(one.updated_at)}>{ago(one.updated_at, now)}</time>
            {room && one.topic !== null && (
              <>
                {" "}
                <Go to={`/r/${encodeURIComponent(room.name)}/${one.topic}?message=${one.message ?? 0}`}>
                  {t("ask.openTopic")}
                </Go>
              </>
            )}
          </p>
          {mayWrite && one.status === "approved" && (
            <Button size="compact-sm" onClick={() => void supersede()}>
              {t("decisions.supersede")}
            </Button>
          )}
        </div>
      </details>
      {mayWrite && one.status === "proposed" && (
        <span className={css.acts}>
          <Button
            size="compact-sm"
            variant="filled"
            onClick={() => void answerDecision(one, "approve", null).catch(tellFailure)}
          >
            {t("decisions.approve")}
          </Button>
          <Button size="compact-sm" onClick={() => void reject()}>
            {t("decisions.reject")}
          </Button>
        </span>
      )}
    </li>
  );
}

/** A card in the project's default room, answered there or on a page of decisions. */
export function Propose({ projects, onClose }: { projects: readonly Project[]; onClose: () => void }) {
  const [project, setProject] = useState(projects[0]?.id ?? "");
  const [title, setTitle] = useState("");
  const [rationale, setRationale] = useState("");
  const propose = () => proposeDecision(project, title, rationale).then(onClose, tellFailure);
  return (
    <Modal
      opened
      onClose={onClose}
      title={t("decisions.propose")}
      closeButtonProps={{ "aria-label": t("confirm.close") }}
    >
      <form
        className={settings.form}
        onSubmit={(event) => {
          event.preventDefault();
          void propose();
        }}
      >
        {projects.length > 1 && (
          <NativeSelect
            label={t("task.project")}
            value={project}
            onChange={(event) => setProject(event.currentTarget.value)}
            data={projects.map((one) => ({ value: one.id, label: one.name }))}
          />
        )}
        <TextInput
          data-autofocus
          label={t("decisions.what")}
          value={title}
          onChange={(event) => setTitle(event.currentTarget.value)}
        />
        <Textarea
          autosize
          minRows={3}
          maxRows={12}
          label={t("decisions.why")}
          value={rationale}
          onChange={(event) => setRationale(event.currentTarget.value)}
        />
        <div className={settings.end}>
          <Button onClick={onClose}>{t("confirm.cancel")}</Button>
          <Button type="submit" variant="filled" disabled={title.trim() === ""}>
            {t("decisions.propose")}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
