import { ActionIcon, Button, Modal, Textarea, TextInput } from "@mantine/core";
import { Pencil, X } from "lucide-react";
import { useState } from "react";
import { dropPrompt, savePrompt } from "../api/desk";
import { lookIn } from "../state/glances";
import { t } from "../text/text";
import { useSelect } from "../ui/hooks";
import { confirm } from "./dialogs";
import css from "./past.module.css";
import settings from "./settings.module.css";
import { tell, tellFailure } from "./tell";

interface Props {
  /** What stands in the field, to be kept under a name. */
  written: string;
  onPick: (content: string) => void;
  onClose: () => void;
}

/** What one says again and again: taken into the field, kept, changed, forgotten. `/name` in the field does the first. */
export function Prompts({ written, onPick, onClose }: Props) {
  const prompts = useSelect((state) => state.desk.prompts);
  const [words, setWords] = useState("");
  const [edited, setEdited] = useState<{ name: string; content: string } | null>(null);
  const all = Object.values(prompts)
    .filter((one) => lookIn(`${one.name} ${one.content}`, words))
    .sort((one, other) => one.name.localeCompare(other.name));
  const drop = async (name: string) => {
    const isSure = await confirm({
      title: t("prompts.drop"),
      text: t("prompts.dropAsk", { name }),
      confirm: t("prompts.drop"),
    });
    if (isSure) await dropPrompt(name).catch(tellFailure);
  };
  return (
    <Modal opened onClose={onClose} title={t("prompts.title")} closeButtonProps={{ "aria-label": t("confirm.close") }}>
      {edited ? (
        <Form given={edited} onEnd={() => setEdited(null)} />
      ) : (
        <>
          <TextInput
            data-autofocus
            aria-label={t("prompts.find")}
            placeholder={t("prompts.find")}
            value={words}
            onChange={(event) => setWords(event.currentTarget.value)}
            onKeyDown={(event) => {
              const [first] = all;
              if (event.key === "Enter" && first) onPick(first.content);
            }}
          />
          <ul className={css.list}>
            {all.map((one) => (
              <li key={one.name} className={css.row}>
                <button type="button" onClick={() => onPick(one.content)}>
                  <b>/{one.name}</b>
                  <span>{one.content}</span>
                </button>
                <ActionIcon aria-label={t("prompts.edit", { name: one.name })} onClick={() => setEdited(one)}>
                  <Pencil size={14} />
                </ActionIcon>
                <ActionIcon aria-label={t("prompts.dropNamed", { name: one.name })} onClick={() => void drop(one.name)}>
                  <X size={15} />
                </ActionIcon>
              </li>
            ))}
            {all.length === 0 && <li className={css.none}>{t(words ? "composer.noHistory" : "prompts.none")}</li>}
          </ul>
          <div className={settings.end}>
            <Button onClick={() => setEdited({ name: "", content: written })}>
              {t(written.trim() ? "prompts.keep" : "prompts.new")}
            </Button>
          </div>
        </>
      )}
    </Modal>
  );
}

function Form({ given, onEnd }: { given: { name: string; content: string }; onEnd: () => void }) {
  const [name, setName] = useState(given.name);
  const [content, setContent] = useState(given.content);
  const [error, setError] = useState("");
  const save = () =>
    savePrompt(name, content).then(
      () => {
        tell(t("settings.saved"));
        onEnd();
      },
      (failure: Error) => setError(failure.message),
    );
  return (
    <form
      className={settings.form}
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <TextInput
        data-autofocus
        label={t("prompts.name")}
        description={t("prompts.nameHint")}
        value={name}
        readOnly={given.name !== ""}
        error={error}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <Textarea
        label={t("prompts.content")}
        autosize
        minRows={4}
        maxRows={14}
        value={content}
        onChange={(event) => setContent(event.currentTarget.value)}
      />
      <div className={settings.end}>
        <Button onClick={onEnd}>{t("confirm.cancel")}</Button>
        <Button type="submit" variant="filled" disabled={name === "" || content.trim() === ""}>
          {t("form.save")}
        </Button>
      </div>
    </form>
  );
}
