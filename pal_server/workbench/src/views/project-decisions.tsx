import { Button, Modal, NativeSelect, Textarea, TextInput } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { answerDecision, listDecisions, proposeDecision, supersedeDecision } from "../api/projects";
import { ago, dateTime, type TextKey, t } from "../text/text";
import { Go } from "../ui/go";
import { useNow, useSelect } from "../ui/hooks";
import { Markdown } from "../ui/markdown";
import type { Decision, Project } from "../wire/contract";
import { ask, confirm } from "./dialogs";
import { useFresh } from "./fresh";
import css from "./project.module.css";
import settings from "./settings.module.css";
import { tellFailure } from "./tell";

const STATUSES = ["proposed", "approved", "rejected", "superseded"] as const;

/** What was settled and what waits for it, newest first. */
export function Decisions({ project, mayWrite }: { project: Project; mayWrite: boolean }) {
  const [q, setWords] = useState("");
  const [status, setStatus] = useState("");
  const [isProposing, setProposing] = useState(false);
  const query = useInfiniteQuery({
    queryKey: ["decisions", project.id, q, status],
    queryFn: ({ pageParam, signal }) => listDecisions(project.id, { q, status, after: pageParam }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
    placeholderData: (before) => before,
  });
  useFresh(["decisions", project.id], "decision");
  const found = query.data?.pages.flatMap((page) => page.decisions) ?? [];
  return (
    <section className={css.part} aria-label={t("decisions.title")}>
      <header>
        <h2>{t("decisions.title")}</h2>
        <TextInput
          size="xs"
          type="search"
          aria-label={t("decisions.find")}
          placeholder={t("decisions.find")}
          value={q}
          onChange={(event) => setWords(event.currentTarget.value)}
        />
        <NativeSelect
          size="xs"
          aria-label={t("runs.state")}
          value={status}
          onChange={(event) => setStatus(event.currentTarget.value)}
          data={[
            { value: "", label: t("wall.anyState") },
            ...STATUSES.map((value) => ({ value, label: t(`decisions.${value}` as TextKey) })),
          ]}
        />
        {mayWrite && <Button onClick={() => setProposing(true)}>{t("decisions.propose")}</Button>}
      </header>
      {query.isError && <p role="alert">{query.error.message}</p>}
      {query.isSuccess && found.length === 0 && (
        <p className={css.none}>{t(q || status ? "decisions.nothing" : "decisions.none")}</p>
      )}
      <ul className={css.list}>
        {found.map((one) => (
          <One key={one.code} one={one} mayWrite={mayWrite} />
        ))}
      </ul>
      {query.hasNextPage && <Button onClick={() => void query.fetchNextPage()}>{t("files.more")}</Button>}
      {isProposing && <Propose project={project} onClose={() => setProposing(false)} />}
    </section>
  );
}

function One({ one, mayWrite }: { one: Decision; mayWrite: boolean }) {
  const now = useNow();
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
          <span className={css.state} data-status={one.status}>
            {t(`decisions.${one.status}` as TextKey)}
          </span>
        </summary>
        <div className={css.more}>
          {one.rationale && <Markdown text={one.rationale} />}
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

function Propose({ project, onClose }: { project: Project; onClose: () => void }) {
  const [title, setTitle] = useState("");
  const [rationale, setRationale] = useState("");
  const propose = () => proposeDecision(project.id, title, rationale).then(onClose, tellFailure);
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
