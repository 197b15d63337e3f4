import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { ChevronDown, CircleHelp, ClipboardList, ShieldAlert } from "lucide-react";
import { type ReactNode, useEffect, useId, useMemo, useState } from "react";
import { answer } from "../api/interactions";
import { ago, clock, duration, type TextKey, t } from "../text/text";
import { Face } from "../ui/face";
import { useNow, useSelect, useStore } from "../ui/hooks";
import { Keys } from "../ui/keys";
import { later } from "../ui/later";
import { Markdown } from "../ui/markdown";
import { useMenu } from "../ui/menus";
import type { AnswerInteraction, Question as AskedQuestion, Interaction, Message } from "../wire/contract";
import css from "./ask-card.module.css";
import messageCss from "./message.module.css";
import { tellFailure } from "./tell";

const Textarea = later(() => import("../ui/textarea").then((found) => found.Textarea));

const LONG_WORD = 36; // characters; a longer argument has to be broken somewhere

type Given = Omit<AnswerInteraction, "hash">;

/** The card of an interaction in the conversation. */
export function AskCard({ message }: { message: Message }) {
  const id = Number(message.card?.interaction ?? 0);
  const known = useSelect((state) => state.desk.interactions[id]);
  const store = useStore();
  const agent = typeof message.card?.agent === "string" ? message.card.agent : "";
  useEffect(() => {
    if (!known && id > 0) store.loadInteraction(id).catch(tellFailure);
  }, [known, id, store]);
  const display = useSelect((state) => state.desk.agents[agent]?.display_name) ?? agent;
  return (
    <article className={messageCss.message} data-message={message.id} id={`m${message.id}`}>
      <Face
        kind={agent ? "agent" : "system"}
        name={agent || "pal"}
        label={display}
        dot={known?.status === "pending" ? "waiting" : null}
      />
      <div className={messageCss.body}>
        <div className={messageCss.speaker}>
          <b>{display || "pal"}</b>
          <time>{clock(message.created_at)}</time>
        </div>
        <div className={css.inTopic}>
          {known ? <Asked asked={known} /> : <p className={css.done}>{message.content}</p>}
        </div>
      </div>
    </article>
  );
}

interface Props {
  asked: Interaction;
  /** In Needs you: who and where, and whether the card is the chosen one. */
  head?: ReactNode;
  isChosen?: boolean;
}

/** The question in full with its answers; once answered one line that says by whom. */
export function Asked({ asked, head, isChosen }: Props) {
  if (asked.status !== "pending") return <Answered asked={asked} />;
  return <Open key={asked.id} asked={asked} head={head} isChosen={isChosen ?? false} />;
}

function Open({ asked, head, isChosen }: { asked: Interaction; head: ReactNode; isChosen: boolean }) {
  const store = useStore();
  const link = useSelect((state) => state.link.state);
  const role = useSelect((state) => state.desk.me.role);
  const now = useNow(5_000);
  const [isBusy, setBusy] = useState(false);
  const mayAnswer = link === "connected" && role !== "viewer" && !isBusy;
  const give = (given: Given) => {
    setBusy(true);
    answer(asked, given)
      .then((one) => store.takeInteraction(one))
      .catch(tellFailure)
      .finally(() => setBusy(false));
  };
  const Icon = asked.kind === "approval" ? ShieldAlert : asked.kind === "plan" ? ClipboardList : CircleHelp;
  const title = titleOf(asked);
  const label = useId();
  return (
    <section
      className={css.card}
      aria-labelledby={label}
      data-ask={asked.id}
      data-kind={asked.kind}
      data-chosen={isChosen || undefined}
      tabIndex={-1}
    >
      <header className={css.head}>
        {head ?? <Icon size={16} aria-hidden />}
        <strong id={label} className={head ? "sr" : undefined}>
          {asked.kind === "question"
            ? `${t(title, { agent: asked.agent ?? "pal" })}: ${asked.title}`
            : t(title, { agent: asked.agent ?? "pal" })}
        </strong>
        <span className={css.waits}>
          {asked.deny_at !== null
            ? t("ask.expires", { time: duration(asked.deny_at - now) })
            : t("ask.waited", { time: ago(asked.created_at, now) })}
        </span>
      </header>
      <div className={css.content}>
        {asked.kind === "approval" && <Approval asked={asked} mayAnswer={mayAnswer} onGive={give} />}
        {asked.kind === "question" && (
          <Question asked={asked} mayAnswer={mayAnswer} onGive={give} isInList={head !== undefined} />
        )}
        {asked.kind === "plan" && <Plan asked={asked} mayAnswer={mayAnswer} onGive={give} />}
      </div>
    </section>
  );
}

function titleOf(asked: Interaction): TextKey {
  if (asked.decision !== null) return asked.agent === null ? "ask.proposed" : "ask.proposes";
  return asked.kind === "approval" ? "ask.wantsApproval" : asked.kind === "plan" ? "ask.plan" : "ask.asks";
}

interface AnswerProps {
  asked: Interaction;
  mayAnswer: boolean;
  onGive: (given: Given) => void;
}

const SCOPES = ["topic", "agent", "project"] as const;
const SCOPE_TEXTS: Readonly<Record<(typeof SCOPES)[number] | "room", TextKey>> = {
  topic: "ask.allowTopic",
  agent: "ask.allowAgent",
  project: "ask.allowProject",
  room: "ask.allowRoom",
};

function Approval({ asked, mayAnswer, onGive }: AnswerProps) {
  const [reason, setReason] = useState<string | null>(null);
  const { suggestion } = asked;
  const isDecision = asked.decision !== null;
  const isOfProject = useSelect((state) => (state.desk.rooms[asked.room]?.project ?? null) !== null);
  const reach = (scope: string) => (scope === "project" && !isOfProject ? "room" : scope);
  const open = useMenu();
  return (
    <>
      <Command asked={asked} />
      {reason !== null && (
        <Textarea
          autoFocus
          autosize
          minRows={2}
          aria-label={t(isDecision ? "decisions.why" : "ask.denyReason")}
          placeholder={t(isDecision ? "decisions.why" : "ask.denyReason")}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
      )}
      <div className={css.buttons}>
        {reason === null ? (
          <>
            <Button
              variant="filled"
              disabled={!mayAnswer}
              onClick={() => onGive({ decision: "approve" })}
              rightSection={<Keys keys="A" />}
              data-answer="allow"
            >
              {t(isDecision ? "decisions.approve" : "ask.allowOnce")}
            </Button>
            {!isDecision && (
              <Button
                disabled={!mayAnswer}
                rightSection={<ChevronDown size={14} />}
                aria-haspopup="menu"
                onClick={(event) =>
                  open(
                    event.currentTarget,
                    SCOPES.map((scope) => ({
                      label: t(SCOPE_TEXTS[reach(scope) as typeof scope]),
                      act: () => onGive({ decision: "approve", scope }),
                    })),
                    { position: "bottom-start" },
                  )
                }
              >
                {t("ask.allowMore")}
              </Button>
            )}
            <Button
              disabled={!mayAnswer}
              onClick={() => setReason("")}
              rightSection={<Keys keys="D" />}
              data-answer="deny"
            >
              {t(isDecision ? "decisions.reject" : "ask.deny")}
            </Button>
            {suggestion && suggestion.scope !== "once" && (
              <Button
                variant="subtle"
                disabled={!mayAnswer}
                onClick={() => onGive({ decision: "approve", scope: suggestion.scope })}
              >
                {t("ask.suggested", { n: suggestion.times, scope: t(`scope.${reach(suggestion.scope)}` as TextKey) })}
              </Button>
            )}
          </>
        ) : (
          <>
            <Button
              variant="filled"
              disabled={!mayAnswer}
              onClick={() => onGive({ decision: "deny", reason: reason || null })}
              data-answer="deny-now"
            >
              {t(isDecision ? "decisions.reject" : "ask.denyNow")}
            </Button>
            <Button onClick={() => setReason(null)}>{t("confirm.cancel")}</Button>
          </>
        )}
        <small className={css.who}>
          {asked.needs > 1
            ? t("ask.needs", {
                n: asked.needs - asked.approvals.length,
                names: asked.approvals.map((one) => one.by).join(", ") || "–",
              })
            : t("ask.members")}
        </small>
      </div>
    </>
  );
}

/** All of what was asked, never cut and never scrolled: what is allowed is exactly what is read. */
function Command({ asked }: { asked: Interaction }) {
  if (asked.decision !== null)
    return (
      <>
        <p className={css.title}>{asked.title}</p>
        {asked.body && (
          <div className={css.bodyText}>
            <Markdown text={asked.body} />
          </div>
        )}
      </>
    );
  return (
    <>
      <pre className={css.command}>
        {asked.title.split(/(\s+)/).map((word, index) =>
          /\s/.test(word) || word.length > LONG_WORD ? (
            word
          ) : (
            // biome-ignore lint/suspicious/noArrayIndexKey: words have a place and no name
            <span key={index}>{word}</span>
          ),
        )}
      </pre>
      {asked.body && asked.body !== asked.title && <pre className={css.about}>{asked.body}</pre>}
      {asked.folder && (
        <p className={css.folder}>
          {t("ask.folder")} <code>{asked.folder}</code>
        </p>
      )}
    </>
  );
}

function Question({ asked, mayAnswer, onGive, isInList }: AnswerProps & { isInList: boolean }) {
  const draft = useSelect((state) => state.desk.drafts[asked.topic]?.content ?? "");
  const questions = useMemo(() => questionsOf(asked), [asked]);
  const [given, setGiven] = useState<readonly Reply[]>(() => questions.map(emptyReply));
  const set = (at: number, reply: Reply) => setGiven(given.map((one, index) => (index === at ? reply : one)));
  const isWhole = given.every((one) => one.chosen.length > 0 || one.text.trim() !== "");
  const send = () => {
    const [first] = given;
    if (asked.questions.length > 0)
      onGive({ answers: given.map((one) => ({ chosen: [...one.chosen], text: one.text.trim() })) });
    else onGive({ answer: first?.text.trim() || (first?.chosen[0] ?? "") });
  };
  return (
    <>
      {isInList && <p className={css.title}>{asked.title}</p>}
      {asked.body && (
        <div className={css.bodyText}>
          <Markdown text={asked.body} />
        </div>
      )}
      {questions.map((question, at) => (
        <OneQuestion
          key={question.text || at}
          question={question}
          reply={given[at] ?? emptyReply(question)}
          isAlone={questions.length === 1}
          onReply={(reply) => set(at, reply)}
        />
      ))}
      <div className={css.buttons}>
        <Button variant="filled" disabled={!mayAnswer || !isWhole} onClick={send} data-answer="send">
          {t("ask.answer")}
        </Button>
        {questions.length === 1 && questions[0] && given[0] && (
          <InWords question={questions[0]} reply={given[0]} onReply={(reply) => set(0, reply)} />
        )}
        {draft && questions.length === 1 && given[0]?.text === "" && (
          <Button variant="subtle" onClick={() => set(0, { chosen: [], text: draft, isInWords: true })}>
            {t("ask.draftOffered")}
          </Button>
        )}
      </div>
    </>
  );
}

interface Reply {
  chosen: readonly string[];
  text: string;
  isInWords: boolean;
}

/** A card without questions of its own asks one, with its options as labels. */
function questionsOf(asked: Interaction): readonly AskedQuestion[] {
  if (asked.questions.length > 0) return asked.questions;
  const options = asked.options.map((label) => ({ label, description: "", preview: "" }));
  return [{ text: asked.title, header: "", options, multiple: false, free: true }];
}

function emptyReply(question: AskedQuestion): Reply {
  return { chosen: [], text: "", isInWords: question.options.length === 0 };
}

function InWords({
  question,
  reply,
  onReply,
}: {
  question: AskedQuestion;
  reply: Reply;
  onReply: (reply: Reply) => void;
}) {
  if (question.options.length === 0 || !question.free) return null;
  return (
    <Button onClick={() => onReply({ chosen: [], text: "", isInWords: !reply.isInWords })}>
      {reply.isInWords ? t("confirm.cancel") : t("ask.inWords")}
    </Button>
  );
}

interface QuestionProps {
  question: AskedQuestion;
  reply: Reply;
  /** The card's own title says what is asked. */
  isAlone: boolean;
  onReply: (reply: Reply) => void;
}

function OneQuestion({ question, reply, isAlone, onReply }: QuestionProps) {
  const { options, multiple } = question;
  const name = useId();
  const preview = options.find((option) => reply.chosen.includes(option.label) && option.preview)?.preview;
  const choose = (label: string) => {
    const isChosen = reply.chosen.includes(label);
    const chosen = !multiple
      ? [label]
      : isChosen
        ? reply.chosen.filter((one) => one !== label)
        : [...reply.chosen, label];
    onReply({ ...reply, chosen });
  };
  return (
    <fieldset className={css.question}>
      <legend className={isAlone ? "sr" : css.title}>{question.text}</legend>
      {options.length > 0 && !reply.isInWords && (
        <div className={css.options}>
          {options.map((option) => {
            const [title = option.label, ...more] = option.label.split("\n");
            const about = option.description || more.join(" ");
            const isChosen = reply.chosen.includes(option.label);
            return (
              <label key={option.label} data-chosen={isChosen || undefined}>
                <input
                  type={multiple ? "checkbox" : "radio"}
                  name={name}
                  checked={isChosen}
                  onChange={() => choose(option.label)}
                />
                <span>
                  <b>{title}</b>
                  {about && <small>{about}</small>}
                </span>
              </label>
            );
          })}
        </div>
      )}
      {preview && <pre className={css.about}>{preview}</pre>}
      {reply.isInWords && (
        <Textarea
          autosize
          minRows={2}
          aria-label={t("ask.words")}
          placeholder={t("ask.words")}
          value={reply.text}
          onChange={(event) => onReply({ ...reply, chosen: [], text: event.currentTarget.value })}
          data-answer="words"
        />
      )}
      {!isAlone && <InWords question={question} reply={reply} onReply={onReply} />}
    </fieldset>
  );
}

function Plan({ asked, mayAnswer, onGive }: AnswerProps) {
  const plan = asked.body || asked.title;
  const [edited, setEdited] = useState<string | null>(null);
  const [reason, setReason] = useState<string | null>(null);
  return (
    <>
      {asked.body && asked.title && <p className={css.title}>{asked.title}</p>}
      {edited === null ? (
        <div className={css.plan}>
          <Markdown text={plan} />
        </div>
      ) : (
        <Textarea
          autosize
          autoFocus
          aria-label={t("run.plan")}
          value={edited}
          onChange={(event) => setEdited(event.currentTarget.value)}
        />
      )}
      {reason !== null && (
        <Textarea
          autosize
          autoFocus
          minRows={2}
          aria-label={t("ask.denyReason")}
          placeholder={t("ask.denyReason")}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
      )}
      <div className={css.buttons}>
        {reason === null ? (
          <>
            <Button
              variant="filled"
              disabled={!mayAnswer}
              onClick={() =>
                onGive(
                  edited === null || edited === plan
                    ? { decision: "approve" }
                    : { decision: "approve", answer: edited },
                )
              }
              data-answer="allow"
            >
              {edited === null ? t("ask.approvePlan") : t("ask.sendPlan")}
            </Button>
            {edited === null && <Button onClick={() => setEdited(plan)}>{t("ask.changePlan")}</Button>}
            <Button disabled={!mayAnswer} onClick={() => setReason("")} data-answer="deny">
              {t("ask.rejectPlan")}
            </Button>
          </>
        ) : (
          <>
            <Button
              variant="filled"
              disabled={!mayAnswer}
              onClick={() => onGive({ decision: "deny", reason: reason || null })}
            >
              {t("ask.rejectPlan")}
            </Button>
            <Button onClick={() => setReason(null)}>{t("confirm.cancel")}</Button>
          </>
        )}
      </div>
    </>
  );
}

function Answered({ asked }: { asked: Interaction }) {
  const [isOpen, setOpen] = useState(false);
  const name = asked.answered_by ?? "";
  const { title } = asked;
  const decision = asked.answer?.decision;
  const reason = typeof asked.answer?.reason === "string" ? asked.answer.reason : "";
  const said =
    asked.status === "expired"
      ? t("ask.expired", { title })
      : asked.status === "cancelled"
        ? t("ask.withdrawn", { title })
        : decision === "approve"
          ? t(asked.decision === null ? "ask.allowed" : "ask.approvedIt", { name, title })
          : decision === "deny"
            ? t(asked.decision === null ? "ask.denied" : "ask.rejectedIt", { name, title })
            : t("ask.answered", { name, answer: wordsOf(asked.answer) });
  return (
    <div className={css.done} data-ask={asked.id} data-status={asked.status}>
      <button type="button" onClick={() => setOpen(!isOpen)} aria-expanded={isOpen} title={t("ask.showWhole")}>
        {said}
        {asked.answered_at !== null && `, ${clock(asked.answered_at)}`}
        {reason && ` (${t("ask.reason", { reason })})`}
      </button>
      {isOpen && <Command asked={asked} />}
    </div>
  );
}

/** Who asks and where, as the head of a card outside of its topic. */
export function AskHead({ asked }: { asked: Interaction }) {
  const topic = useSelect((state) => state.desk.topics[asked.topic]?.topic);
  const room = useSelect((state) => state.desk.rooms[asked.room]);
  const agent = asked.agent ?? "pal";
  const title = titleOf(asked);
  return (
    <>
      <Face kind={asked.agent ? "agent" : "system"} name={agent} size={28} dot="waiting" />
      <span className={css.where}>
        <b>{t(title, { agent })}</b>
        <Link to="/r/$room/$topic" params={{ room: room?.name ?? asked.room, topic: String(asked.topic) }}>
          {room?.name} › {topic?.title}
        </Link>
      </span>
    </>
  );
}

/** What was answered, in one line. */
function wordsOf(answer: Interaction["answer"]): string {
  if (typeof answer?.answer === "string") return answer.answer;
  if (!Array.isArray(answer?.answers)) return "";
  return answer.answers
    .map((one: { chosen?: string[]; text?: string }) =>
      [...(one.chosen ?? []), one.text ?? ""].filter(Boolean).join(", "),
    )
    .join("; ");
}
