import { useParams } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { roomNamed } from "../state/glances";
import { t } from "../text/text";
import { PHONE, useMedia, useSelect, useStore } from "../ui/hooks";
import { Refused } from "../wire/request";
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
  if (!room) return <Missing isGone />;
  return (
    <div className={css.room} data-phone={isPhone || undefined}>
      {(!isPhone || id === undefined) && <Topics room={room} selected={shownTopic?.topic.id ?? null} />}
      {shownTopic && <Conversation key={shownTopic.topic.id} room={room} glance={shownTopic} />}
      {!shownTopic && id !== undefined && <Unknown key={id} id={Number(id)} />}
      {!shownTopic && id === undefined && !isPhone && <p className={css.choose}>{t("topic.choose")}</p>}
    </div>
  );
}

/** A topic nobody wrote in for so long that the client began without it: it comes, or there is none. */
function Unknown({ id }: { id: number }) {
  const store = useStore();
  const isConnected = useSelect((state) => state.link.state === "connected");
  const [failure, setFailure] = useState<Error | null>(null);
  const isTopic = Number.isInteger(id);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what could not be had is asked for when the network is back
  useEffect(() => {
    if (isTopic) store.loadTopic(id).catch(setFailure);
  }, [store, id, isTopic, isConnected]);
  if (!isTopic || (failure instanceof Refused && failure.isMissing)) return <Missing isGone />;
  return failure && <p role="alert">{failure.message}</p>;
}
