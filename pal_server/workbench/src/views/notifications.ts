import { useNavigate, useParams } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { messageOf } from "../api/messages";
import { isMine } from "../state/desk";
import { type Notice, noticeOf } from "../state/notices";
import { ignorePassing } from "../state/store";
import { t } from "../text/text";
import { useLatest, useSelect, useStore } from "../ui/hooks";

/** Tells this person through the system of what needs them, unless they look at it now. A click goes to it. */
export function useNotifications(): void {
  const store = useStore();
  const navigate = useNavigate();
  const { topic: shownTopic } = useParams({ strict: false });
  const heard = useSelect((state) => state.heard);
  const done = useRef(store.get().desk.position);

  const show = useLatest(async (notice: Notice) => {
    if (notice.onlyFor !== null) {
      const asked = await messageOf(notice.topic, notice.onlyFor);
      if (!asked || !isMine(store.get().desk.me, asked)) return;
    }
    const { desk } = store.get();
    const glance = desk.topics[notice.topic];
    const room = desk.rooms[notice.room]?.name ?? notice.room;
    const shown = new Notification(t(notice.text, { ...notice.given, topic: glance?.topic.title ?? "" }), {
      body: notice.body,
      tag: notice.key,
      icon: "/assets/pal.svg",
    });
    shown.onclick = () => {
      window.focus();
      shown.close();
      void navigate({
        to: "/r/$room/$topic",
        params: { room, topic: String(notice.topic) },
        search: notice.shows as never,
      });
    };
  });

  useEffect(() => {
    const fresh = heard.filter((event) => event.position > done.current);
    const last = fresh.at(-1);
    if (!last) return;
    done.current = last.position;
    if (!("Notification" in window) || Notification.permission !== "granted") return;
    const isLooking = document.visibilityState === "visible" && document.hasFocus();
    const { desk } = store.get();
    const now = new Date();
    for (const event of fresh) {
      const notice = noticeOf(desk, event, now.getHours() * 60 + now.getMinutes(), (message) =>
        isMine(desk.me, message),
      );
      if (notice && !(isLooking && Number(shownTopic) === notice.topic)) show(notice).catch(ignorePassing);
    }
  }, [heard, show, store, shownTopic]);
}
