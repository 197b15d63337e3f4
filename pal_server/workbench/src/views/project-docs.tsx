import { Button, Modal, Switch, Textarea, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { FileText } from "lucide-react";
import { useState } from "react";
import { changeDoc, listDocs, readDoc, writeDoc } from "../api/projects";
import { ago, count, dateTime, t } from "../text/text";
import { useNow } from "../ui/hooks";
import type { Doc, Project } from "../wire/contract";
import { useFresh } from "./fresh";
import css from "./project.module.css";
import settings from "./settings.module.css";
import { tellFailure } from "./tell";

/** Texts of the project; those that are switched on are in every prompt. */
export function Docs({ project, mayWrite }: { project: Project; mayWrite: boolean }) {
  const [opened, setOpened] = useState<string | null>(null);
  const { data, error } = useQuery({ queryKey: ["docs", project.id], queryFn: () => listDocs(project.id) });
  useFresh(["docs", project.id], "doc");
  return (
    <section className={css.part} aria-label={t("docs.title")}>
      <header>
        <h2>{t("docs.title")}</h2>
        <small>{t("docs.hint")}</small>
        {mayWrite && <Button onClick={() => setOpened("")}>{t("docs.add")}</Button>}
      </header>
      {error && <p role="alert">{error.message}</p>}
      {data?.length === 0 && <p className={css.none}>{t("docs.none")}</p>}
      <ul className={css.list}>
        {data?.map((doc) => (
          <Row key={doc.name} doc={doc} mayWrite={mayWrite} onOpen={() => setOpened(doc.name)} />
        ))}
      </ul>
      {opened !== null && (
        <Editor project={project} name={opened} mayWrite={mayWrite} onClose={() => setOpened(null)} />
      )}
    </section>
  );
}

function Row({ doc, mayWrite, onOpen }: { doc: Doc; mayWrite: boolean; onOpen: () => void }) {
  const now = useNow();
  const isArchived = doc.archived_at !== null;
  const change = (wanted: { inject?: boolean; archived?: boolean }) =>
    void changeDoc(doc.project, doc.name, wanted).catch(tellFailure);
  return (
    <li data-doc={doc.name} data-archived={isArchived || undefined}>
      <button type="button" className={css.doc} onClick={onOpen}>
        <FileText size={15} aria-hidden />
        <span className={css.title}>{doc.name}</span>
        <small className="num" title={dateTime(doc.updated_at)}>
          {t("docs.size", { n: count(doc.size) })}, {ago(doc.updated_at, now)}
        </small>
      </button>
      {isArchived ? (
        <span className={css.acts}>
          {mayWrite ? (
            <Button size="compact-sm" onClick={() => change({ archived: false })}>
              {t("project.restore")}
            </Button>
          ) : (
            <small>{t("project.archived")}</small>
          )}
        </span>
      ) : (
        <span className={css.acts}>
          <Switch
            size="xs"
            label={t("docs.told")}
            aria-label={`${doc.name}: ${t("docs.told")}`}
            disabled={!mayWrite}
            checked={doc.inject}
            onChange={(event) => change({ inject: event.currentTarget.checked })}
          />
          {mayWrite && (
            <Button size="compact-sm" variant="subtle" onClick={() => change({ archived: true })}>
              {t("project.archive")}
            </Button>
          )}
        </span>
      )}
    </li>
  );
}

interface Edited {
  project: Project;
  /** Empty: a new one. */
  name: string;
  mayWrite: boolean;
  onClose: () => void;
}

function Editor({ project, name, mayWrite, onClose }: Edited) {
  const { data, error } = useQuery({
    queryKey: ["docs", project.id, name],
    queryFn: () => readDoc(project.id, name),
    enabled: name !== "",
    gcTime: 0,
  });
  return (
    <Modal
      opened
      onClose={onClose}
      size="xl"
      title={name || t("docs.add")}
      closeButtonProps={{ "aria-label": t("confirm.close") }}
    >
      {error && <p role="alert">{error.message}</p>}
      {name === "" && <Form project={project} name="" content="" mayWrite={mayWrite} onClose={onClose} />}
      {data && <Form project={project} name={name} content={data.content} mayWrite={mayWrite} onClose={onClose} />}
    </Modal>
  );
}

function Form({ project, name, content, mayWrite, onClose }: Edited & { content: string }) {
  const [called, setCalled] = useState(name);
  const [text, setText] = useState(content);
  const save = () => writeDoc(project.id, called.trim(), text).then(onClose, tellFailure);
  return (
    <form
      className={settings.form}
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      {name === "" && (
        <TextInput
          data-autofocus
          label={t("docs.name")}
          description={t("docs.nameHint")}
          value={called}
          onChange={(event) => setCalled(event.currentTarget.value)}
        />
      )}
      <Textarea
        autosize
        minRows={8}
        maxRows={24}
        label={t("docs.content")}
        readOnly={!mayWrite}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      {mayWrite && (
        <div className={settings.end}>
          <Button onClick={onClose}>{t("confirm.cancel")}</Button>
          <Button type="submit" variant="filled" disabled={called.trim() === "" || text.trim() === ""}>
            {t("form.save")}
          </Button>
        </div>
      )}
    </form>
  );
}
