import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { isMine } from "../state/desk";
import { type Notice, noticeOf } from "../state/notices";
import { t } from "../text/text";
import { useLatest, useSelect, useStore } from "../ui/hooks";

/** Tells this person through the system, when they look elsewhere, of what needs them. A click goes to it. */
export function useNotifications(): void {
  const store = useStore();
  const navigate = useNavigate();
  const heard = useSelect((state) => state.heard);
  const done = useRef(store.get().desk.position);

  const show = useLatest((notice: Notice) => {
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
      void navigate({ to: "/r/$room/$topic", params: { room, topic: String(notice.topic) } });
    };
  });

  useEffect(() => {
    const fresh = heard.filter((event) => event.position > done.current);
    const last = fresh.at(-1);
    if (!last) return;
    done.current = last.position;
    if (!("Notification" in window) || Notification.permission !== "granted") return;
    if (document.visibilityState === "visible" && document.hasFocus()) return;
    const { desk } = store.get();
    const now = new Date();
    for (const event of fresh) {
      const notice = noticeOf(desk, event, now.getHours() * 60 + now.getMinutes(), (message) =>
        isMine(desk.me, message),
      );
      if (notice) show(notice);
    }
  }, [heard, show, store]);
}
