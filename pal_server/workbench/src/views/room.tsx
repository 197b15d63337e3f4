import { useParams } from "@tanstack/react-router";
import { roomNamed } from "../state/glances";
import { t } from "../text/text";
import { PHONE, useMedia, useSelect } from "../ui/hooks";
import { Conversation } from "./conversation";
import { Missing } from "./missing";
import css from "./room.module.css";
import { Topics } from "./topics";

/** A room: its topics, and the conversation of one of them. On a phone one at a time. */
export function RoomView() {
  const { room: name, topic: id } = useParams({ strict: false });
  const rooms = useSelect((state) => state.desk.rooms);
  const isPhone = useMedia(PHONE);
  const room = roomNamed({ rooms }, name ?? "");
  const shown = id !== undefined ? Number(id) : isPhone ? 0 : (room?.default_topic ?? 0);
  const shownTopic = useSelect((state) => state.desk.topics[shown]);
  if (!room) return <Missing />;
  return (
    <div className={css.room} data-phone={isPhone || undefined}>
      {(!isPhone || id === undefined) && <Topics room={room} selected={shownTopic?.topic.id ?? null} />}
      {shownTopic && <Conversation key={shownTopic.topic.id} room={room} glance={shownTopic} />}
      {!shownTopic && id !== undefined && <Missing />}
      {!shownTopic && id === undefined && !isPhone && <p className={css.choose}>{t("topic.choose")}</p>}
    </div>
  );
}
