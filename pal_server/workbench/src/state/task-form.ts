/** A task as a form has it, and what of it was changed there. Pure. */
import type { ChangeTask, Task } from "../wire/contract";

/** Everything people say of a task, as text: one line for each criterion, path, reference, and codes with commas. */
export interface TaskForm {
  title: string;
  body: string;
  acceptance: string;
  verification: string;
  verificationRequired: boolean;
  paths: string;
  references: string;
  owner: string;
  agent: string;
  type: string;
  dependsOn: string;
  result: string;
}

export function formOf(task: Task): TaskForm {
  return {
    title: task.title,
    body: task.body,
    acceptance: task.acceptance.join("\n"),
    verification: task.verification,
    verificationRequired: task.verification_required,
    paths: task.paths.join("\n"),
    references: task.references.join("\n"),
    owner: task.owner ?? "",
    agent: task.agent ?? "",
    type: task.type,
    dependsOn: task.depends_on.join(", "),
    result: task.result?.summary ?? "",
  };
}

/** What was changed in the form alone: what others change meanwhile stays theirs. Null: nothing was. */
export function changesOf(before: TaskForm, after: TaskForm): ChangeTask | null {
  const changed: ChangeTask = {};
  const differs = (name: keyof TaskForm) => before[name] !== after[name];
  if (differs("title")) changed.title = after.title.trim();
  if (differs("body")) changed.body = after.body;
  if (differs("acceptance")) changed.acceptance = linesOf(after.acceptance);
  if (differs("verification")) changed.verification = after.verification.trim();
  if (differs("verificationRequired")) changed.verification_required = after.verificationRequired;
  if (differs("paths")) changed.paths = linesOf(after.paths);
  if (differs("references")) changed.references = linesOf(after.references);
  if (differs("owner")) changed.owner = after.owner || null;
  if (differs("agent")) changed.agent = after.agent || null;
  if (differs("type")) changed.type = after.type.trim();
  if (differs("dependsOn")) changed.depends_on = after.dependsOn.split(/[\s,]+/).filter(Boolean);
  if (differs("result")) changed.result = after.result.trim() || null;
  return Object.keys(changed).length === 0 ? null : changed;
}

function linesOf(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
}
