import { Button } from "@mantine/core";
import { Bot, CircleHelp, CornerUpLeft, Ellipsis, FileText, Info, TriangleAlert } from "lucide-react";
import { memo, useState } from "react";
import { retryDelivery } from "../api/deliveries";
import { chooseForDraft, deleteMessage } from "../api/messages";
import { chooseForRun } from "../api/runs";
import { isMine } from "../state/desk";
import type { Sending } from "../state/outbox";
import { clock, t } from "../text/text";
import { Face } from "../ui/face";
import { useSelect, useStore } from "../ui/hooks";
import { IconButton } from "../ui/icon-button";
import { later } from "../ui/later";
import { Markdown } from "../ui/markdown";
import { useMenu } from "../ui/menus";
import { When } from "../ui/when";
import type { Message, Room } from "../wire/contract";
import type { ComposerMode } from "./composer";
import { confirm } from "./dialogs";
import css from "./message.module.css";
import { tell, tellFailure } from "./tell";

const Why = later(() => import("./why").then((found) => found.Why));

const PICTURES: ReadonlySet<string> = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);
const PICTURE_MAX = 8 * 1024 * 1024; // bytes of a picture that is shown without asking
const LONG = 6_000; // characters after which a message is folded

interface Props {
  message: Message;
  room: Room;
  isJoined: boolean;
  onMode: (mode: ComposerMode) => void;
}

/** What somebody said, with what one can do about it. */
export const MessageRow = memo(function MessageRow({ message, room, isJoined, onMode }: Props) {
  const { sender } = message;
  const role = useSelect((state) => (sender.kind === "agent" ? state.desk.agents[sender.name]?.runtime : undefined));
  const parent = useSelect((state) =>
    message.parent === null
      ? undefined
      : state.desk.logs[message.topic]?.messages.find((one) => one.id === message.parent),
  );
  return (
    <article
      className={css.message}
      data-joined={isJoined || undefined}
      id={`m${message.id}`}
      data-message={message.id}
    >
      {isJoined ? (
        <When at={message.created_at} className={css.when} />
      ) : (
        <Face kind={sender.kind} name={sender.name} label={sender.display_name} />
      )}
      <div className={css.body}>
        {!isJoined && <Speaker message={message} role={role} />}
        {parent && sender.kind !== "agent" && (
          <div className={css.parent}>
            <CornerUpLeft size={13} aria-hidden />
            <b>{parent.sender.display_name || parent.sender.name}</b> <span>{parent.content.slice(0, 120)}</span>
          </div>
        )}
        <Words message={message} />
        <Files message={message} />
        <Receipts message={message} />
      </div>
      <Actions message={message} room={room} onMode={onMode} />
    </article>
  );
});

export function Speaker({ message, role }: { message: Message; role: string | undefined }) {
  const { sender } = message;
  return (
    <div className={css.speaker}>
      <b>{sender.display_name || sender.name}</b>
      {role && <span>{role}</span>}
      {sender.kind === "guest" && <span>{t("message.through", { origin: sender.origin })}</span>}
      <When at={message.created_at} />
      {message.edited_at !== null && <span>{t("message.edited")}</span>}
    </div>
  );
}

export function Words({ message }: { message: Message }) {
  const [isWhole, setWhole] = useState(false);
  const isLong = message.content.length > LONG;
  return (
    <>
      <Markdown text={isLong && !isWhole ? `${message.content.slice(0, LONG)}…` : message.content} />
      {isLong && (
        <Button variant="subtle" size="compact-sm" onClick={() => setWhole(!isWhole)}>
          {isWhole ? t("message.less") : t("message.more")}
        </Button>
      )}
    </>
  );
}

export function Files({ message }: { message: Message }) {
  if (message.files.length === 0) return null;
  return (
    <ul className={css.files}>
      {message.files.map((file) => (
        <li key={file.id} data-picture={isPicture(file) || undefined}>
          <a href={`/f/${encodeURIComponent(file.id)}`} download={file.name} title={file.name}>
            {isPicture(file) && <img src={`/f/${encodeURIComponent(file.id)}`} alt={file.name} loading="lazy" />}
            <FileText size={15} aria-hidden />
            <span>{file.name}</span>
            <small className="num">{sizeOf(file.size)}</small>
          </a>
        </li>
      ))}
    </ul>
  );
}

/** What the browser may show as it is: pixels, which run nothing. Anything else, SVG too, is a download alone. */
function isPicture(file: Message["files"][number]): boolean {
  return PICTURES.has(file.mime) && file.size <= PICTURE_MAX;
}

/** What happens with a message for each agent it calls; a click says why. */
function Receipts({ message }: { message: Message }) {
  const given = useSelect((state) => state.receipts[message.id]);
  const deliveries = useSelect((state) => state.desk.deliveries);
  const computers = useSelect((state) => state.desk.computers);
  const agents = useSelect((state) => state.desk.agents);
  const [isOpen, setOpen] = useState(false);
  const mine = Object.values(deliveries).filter((one) => one.message === message.id);
  const lines: { key: string; text: string; isBad: boolean }[] = [];
  for (const one of mine) {
    const computer = computers[agents[one.agent]?.computer ?? ""];
    const { agent } = one;
    if (one.read_step !== null)
      lines.push({ key: agent, text: t("receipt.read", { agent, step: one.read_step }), isBad: false });
    else if (one.status === "pending" && computer?.status === "offline")
      lines.push({ key: agent, text: t("receipt.offline", { agent, computer: computer.name }), isBad: false });
    else if (one.status === "pending")
      lines.push({
        key: agent,
        text: t(one.steered_into === null ? "receipt.waits" : "receipt.told", { agent }),
        isBad: false,
      });
    else if (one.status === "dead" || one.status === "failed")
      lines.push({ key: agent, text: one.error ?? one.status, isBad: true });
  }
  if (lines.length === 0) {
    for (const one of given ?? []) {
      if (one.outcome === "held" || one.outcome === "refused" || one.outcome === "saved")
        lines.push({ key: one.agent, text: one.text, isBad: one.outcome === "refused" });
    }
  }
  return (
    <>
      {lines.map((line) => (
        <button
          type="button"
          key={line.key}
          className={css.receipt}
          data-bad={line.isBad || undefined}
          onClick={() => setOpen(true)}
        >
          {line.text}
        </button>
      ))}
      {isOpen && <Why message={message.id} onClose={() => setOpen(false)} />}
    </>
  );
}

export function Actions({ message, room, onMode }: Omit<Props, "isJoined">) {
  const store = useStore();
  const me = useSelect((state) => state.desk.me);
  const [isWhy, setWhy] = useState(false);
  const open = useMenu();
  const mine = isMine(me, message);
  const link = `${location.origin}/r/${room.name}/${message.topic}?message=${message.id}`;
  const copy = (text: string) => navigator.clipboard.writeText(text).then(() => tell(t("confirm.copied")), tellFailure);
  const remove = async () => {
    if (await confirm({ title: t("message.delete"), text: t("message.deleteAsk"), confirm: t("message.delete") }))
      await deleteMessage(message.id).catch(tellFailure);
  };
  return (
    <div className={css.actions} role="group" aria-label={t("message.actions")}>
      <IconButton label={t("message.reply")} onClick={() => onMode({ type: "reply", to: message })}>
        <CornerUpLeft size={15} aria-hidden />
      </IconButton>
      <IconButton label={t("message.why")} onClick={() => setWhy(true)}>
        <CircleHelp size={15} aria-hidden />
      </IconButton>
      <IconButton
        label={t("message.actions")}
        aria-haspopup="menu"
        onClick={(event) =>
          open(event.currentTarget, [
            { label: t("message.copy"), act: () => void copy(message.content) },
            { label: t("message.copyLink"), act: () => void copy(link) },
            { label: t("message.unread"), act: () => store.markRead(message.topic, message.id - 1) },
            mine && "line",
            mine && { label: t("message.edit"), act: () => onMode({ type: "edit", message }) },
            mine && { label: t("message.delete"), act: () => void remove() },
          ])
        }
      >
        <Ellipsis size={15} aria-hidden />
      </IconButton>
      {isWhy && <Why message={message.id} onClose={() => setWhy(false)} />}
    </div>
  );
}

/** What pal itself says: one quiet line; with something to choose where a run ended badly or an answer is held. */
export function NoticeRow({ message }: { message: Message }) {
  const type = typeof message.card?.type === "string" ? message.card.type : "";
  const isBad = type === "failed" || type === "interrupted" || type === "dead";
  const Icon = isBad ? TriangleAlert : type === "silent" ? Bot : Info;
  return (
    <div className={css.notice} data-bad={isBad || undefined} data-message={message.id} id={`m${message.id}`}>
      <Icon size={15} aria-hidden />
      <div>
        <Markdown text={message.content} />
        {typeof message.card?.preview === "string" && message.card.preview !== "" && <pre>{message.card.preview}</pre>}
        <Files message={message} />
        <Choices message={message} type={type} />
      </div>
      <time>{clock(message.created_at)}</time>
    </div>
  );
}

function Choices({ message, type }: { message: Message; type: string }) {
  const { card } = message;
  const delivery = typeof card?.delivery === "number" ? card.delivery : null;
  const run = typeof card?.run === "number" ? card.run : null;
  const open = useSelect((state) => (delivery === null ? undefined : state.desk.deliveries[delivery]));
  if (type === "draft" && card?.status === "held") {
    return (
      <div className={css.noticeActions}>
        {(["send", "revise", "drop"] as const).map((choice) => (
          <Button
            key={choice}
            variant={choice === "send" ? "filled" : "default"}
            onClick={() => void chooseForDraft(message.id, choice).catch(tellFailure)}
          >
            {t(`draft.${choice}`)}
          </Button>
        ))}
      </div>
    );
  }
  if (type === "interrupted" && run !== null && open?.status === "interrupted") return <RunChoices run={run} />;
  if ((type === "failed" || type === "dead") && delivery !== null && open && ["failed", "dead"].includes(open.status)) {
    return (
      <div className={css.noticeActions}>
        <Button onClick={() => void retryDelivery(delivery, false).catch(tellFailure)}>{t("needs.again")}</Button>
        <Button onClick={() => void retryDelivery(delivery, true).catch(tellFailure)}>{t("needs.startOver")}</Button>
      </div>
    );
  }
  return null;
}

const RUN_CHOICES = [
  ["resume", "needs.resume"],
  ["start_over", "needs.startOver"],
  ["keep_files", "needs.keepFiles"],
  ["drop", "needs.drop"],
] as const;

/** What becomes of the work of a run that was interrupted; chosen once. */
export function RunChoices({ run, isOff = false }: { run: number; isOff?: boolean }) {
  return (
    <div className={css.noticeActions}>
      {RUN_CHOICES.map(([choice, text]) => (
        <Button
          key={choice}
          variant={choice === "resume" ? "filled" : "default"}
          disabled={isOff}
          onClick={() => void chooseForRun(run, choice).catch(tellFailure)}
        >
          {t(text)}
        </Button>
      ))}
    </div>
  );
}

/** A message that is on its way. */
export function SendingRow({ sending }: { sending: Sending }) {
  const store = useStore();
  const me = useSelect((state) => state.desk.me);
  return (
    <article className={css.message} data-sending>
      <Face kind="user" name={me.name} label={me.display_name} />
      <div className={css.body}>
        <div className={css.speaker}>
          <b>{me.display_name || me.name}</b>
          <span>
            {sending.state === "sending"
              ? t("message.sending")
              : sending.state === "waiting"
                ? t("message.willBeSent")
                : t("message.refused", { reason: sending.reason })}
          </span>
        </div>
        <Markdown text={sending.content} />
        {sending.state === "refused" && (
          <div className={css.noticeActions}>
            <Button onClick={() => store.resend(sending.clientId)}>{t("message.again")}</Button>
            <Button variant="subtle" onClick={() => store.unsend(sending.clientId)}>
              {t("message.drop")}
            </Button>
          </div>
        )}
      </div>
    </article>
  );
}

export function sizeOf(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 * 1024) return `${Math.round(bytes / 1024)} KB`;
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}
