import { Button, Modal, NativeSelect, Switch } from "@mantine/core";
import { useState } from "react";
import { newId } from "../state/store";
import { t } from "../text/text";
import { useSelect } from "../ui/hooks";
import { request } from "../wire/request";
import css from "./settings.module.css";
import { tell, tellFailure } from "./tell";

const DAY = 24 * 3_600_000;
const LASTING = { week: 7 * DAY, day: DAY, month: 30 * DAY, always: null } as const;
type Lasting = keyof typeof LASTING;
type Kind = "view" | "comment" | "invite";

interface Props {
  /** What is chosen at first. */
  of?: { room: string; topic: number };
  onClose: () => void;
}

/** Makes an address that lets others in: to look at a room or topic, to comment there, or to join the room. */
export default function AddLink({ of, onClose }: Props) {
  const rooms = useSelect((state) => state.desk.rooms);
  const topics = useSelect((state) => state.desk.topics);
  const [room, setRoom] = useState(of?.room ?? Object.keys(rooms)[0] ?? "");
  const [topic, setTopic] = useState(of ? String(of.topic) : "");
  const [kind, setKind] = useState<Kind>("view");
  const [lasting, setLasting] = useState<Lasting>("week");
  const [mayTrigger, setMayTrigger] = useState(false);
  const [url, setUrl] = useState<string | null>(null);
  const [clientId] = useState(newId);
  const add = () => {
    const length = LASTING[lasting];
    const common = { expires_at: length === null ? null : Date.now() + length, client_id: clientId };
    const made =
      kind === "invite"
        ? request("POST /api/invites", { body: { room, ...common } })
        : request("POST /api/shares", {
            body: {
              ...(topic === "" ? { room } : { topic: Number(topic) }),
              rights: kind,
              may_trigger: kind === "comment" && mayTrigger,
              ...common,
            },
          });
    return made.then((answer) => setUrl(answer.url), tellFailure);
  };
  return (
    <Modal opened onClose={onClose} title={t("links.add")} closeButtonProps={{ "aria-label": t("confirm.close") }}>
      {url === null ? (
        <form
          className={css.form}
          onSubmit={(event) => {
            event.preventDefault();
            void add();
          }}
        >
          <NativeSelect
            data-autofocus
            label={t("links.room")}
            value={room}
            onChange={(event) => {
              setRoom(event.currentTarget.value);
              setTopic("");
            }}
            data={Object.values(rooms).map((one) => ({ value: one.id, label: one.title || one.name }))}
          />
          {kind !== "invite" && (
            <NativeSelect
              label={t("links.topic")}
              value={topic}
              onChange={(event) => setTopic(event.currentTarget.value)}
              data={[
                { value: "", label: t("links.allTopics") },
                ...Object.values(topics)
                  .filter((one) => one.topic.room === room)
                  .map((one) => ({ value: String(one.topic.id), label: one.topic.title })),
              ]}
            />
          )}
          <NativeSelect
            label={t("links.rights")}
            value={kind}
            onChange={(event) => setKind(event.currentTarget.value as Kind)}
            data={(["view", "comment", "invite"] as const).map((one) => ({ value: one, label: t(`links.${one}`) }))}
          />
          <NativeSelect
            label={t("links.until")}
            value={lasting}
            onChange={(event) => setLasting(event.currentTarget.value as Lasting)}
            data={(Object.keys(LASTING) as Lasting[]).map((one) => ({ value: one, label: t(`links.${one}`) }))}
          />
          {kind === "comment" && (
            <Switch
              label={t("links.mayTrigger")}
              checked={mayTrigger}
              onChange={(event) => setMayTrigger(event.currentTarget.checked)}
            />
          )}
          <div className={css.end}>
            <Button type="submit" variant="filled" disabled={room === ""}>
              {t("links.add")}
            </Button>
          </div>
        </form>
      ) : (
        <div className={css.command}>
          <p>{t("links.made")}</p>
          <pre>{url}</pre>
          <div className={css.end}>
            <Button
              variant="filled"
              onClick={() => void navigator.clipboard.writeText(url).then(() => tell(t("confirm.copied")), tellFailure)}
            >
              {t("confirm.copy")}
            </Button>
          </div>
        </div>
      )}
    </Modal>
  );
}
