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
  const desk = useSelect((state) => state.desk);
  const isPhone = useMedia(PHONE);
  const room = roomNamed(desk, name ?? "");
  if (!room) return <Missing />;
  const topic = id === undefined ? undefined : desk.topics[Number(id)];
  const shownTopic = topic ?? (isPhone || id !== undefined ? undefined : desk.topics[room.default_topic]);
  return (
    <div className={css.room} data-phone={isPhone || undefined}>
      {(!isPhone || id === undefined) && <Topics room={room} selected={shownTopic?.topic.id ?? null} />}
      {shownTopic && <Conversation key={shownTopic.topic.id} room={room} glance={shownTopic} />}
      {!shownTopic && id !== undefined && <Missing />}
      {!shownTopic && id === undefined && !isPhone && <p className={css.choose}>{t("topic.choose")}</p>}
    </div>
  );
}
