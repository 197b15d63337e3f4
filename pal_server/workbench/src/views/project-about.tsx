import { Button, Textarea, TextInput } from "@mantine/core";
import { useState } from "react";
import { changeProject } from "../api/projects";
import { t } from "../text/text";
import type { Project } from "../wire/contract";
import css from "./project.module.css";
import settings from "./settings.module.css";
import { tellFailure } from "./tell";

/** Goal, rules and stack; every run in the project's rooms is told them. */
export function About({ project, mayWrite }: { project: Project; mayWrite: boolean }) {
  const [isEditing, setEditing] = useState(false);
  return (
    <section className={css.part} aria-label={t("project.about")}>
      <header>
        <h2>{t("project.about")}</h2>
        <small>{t("project.aboutHint")}</small>
        {mayWrite && !isEditing && <Button onClick={() => setEditing(true)}>{t("project.edit")}</Button>}
      </header>
      {isEditing ? <Form project={project} onEnd={() => setEditing(false)} /> : <Words project={project} />}
    </section>
  );
}

function Words({ project }: { project: Project }) {
  const { goal, rules, tech_stack: stack } = project;
  if (!goal && rules.length === 0 && stack.length === 0) return <p className={css.none}>{t("project.saysNothing")}</p>;
  return (
    <div className={css.words}>
      {goal && <p className={css.goal}>{goal}</p>}
      {rules.length > 0 && (
        <>
          <h3>{t("project.rules")}</h3>
          <ul>
            {rules.map((rule) => (
              <li key={rule}>{rule}</li>
            ))}
          </ul>
        </>
      )}
      {stack.length > 0 && (
        <p className={settings.chips}>
          {stack.map((word) => (
            <span key={word}>{word}</span>
          ))}
        </p>
      )}
    </div>
  );
}

function Form({ project, onEnd }: { project: Project; onEnd: () => void }) {
  const [name, setName] = useState(project.name);
  const [goal, setGoal] = useState(project.goal);
  const [rules, setRules] = useState(project.rules.join("\n"));
  const [stack, setStack] = useState(project.tech_stack.join(", "));
  const save = () =>
    changeProject(project.id, { name, goal, rules: rules.split("\n"), tech_stack: stack.split(",") }).then(
      onEnd,
      tellFailure,
    );
  return (
    <form
      className={settings.form}
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <TextInput label={t("project.name")} value={name} onChange={(event) => setName(event.currentTarget.value)} />
      <Textarea
        autoFocus
        autosize
        minRows={2}
        maxRows={12}
        label={t("project.goal")}
        value={goal}
        onChange={(event) => setGoal(event.currentTarget.value)}
      />
      <Textarea
        autosize
        minRows={3}
        maxRows={16}
        label={t("project.rules")}
        description={t("project.rulesHint")}
        value={rules}
        onChange={(event) => setRules(event.currentTarget.value)}
      />
      <TextInput
        label={t("project.stack")}
        description={t("project.stackHint")}
        value={stack}
        onChange={(event) => setStack(event.currentTarget.value)}
      />
      <div className={settings.end}>
        <Button onClick={onEnd}>{t("confirm.cancel")}</Button>
        <Button type="submit" variant="filled" disabled={name.trim() === ""}>
          {t("form.save")}
        </Button>
      </div>
    </form>
  );
}
