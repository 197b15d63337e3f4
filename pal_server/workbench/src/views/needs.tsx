import { Button } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { useEffect, useMemo, useRef, useState } from "react";
import { retryDelivery } from "../api/deliveries";
import { type Need, needsOf } from "../state/attention";
import { ago, t } from "../text/text";
import { Face } from "../ui/face";
import { useKept, useLatest, useNow, useSelect, useStore } from "../ui/hooks";
import { isWriting, Keys } from "../ui/keys";
import { Asked, AskHead } from "./ask-card";
import { RunChoices } from "./message";
import css from "./needs.module.css";
import { Page } from "./page";
import { tellFailure } from "./tell";

/** Everything that waits for a person, whatever room it is in, in the order of what the waiting costs. */
export function NeedsView() {
  const desk = useSelect((state) => state.desk);
  const navigate = useNavigate();
  const now = useNow(15_000);
  const needs = useMemo(() => needsOf(desk, now), [desk, now]);
  const [chosen, setChosen] = useState<string | null>(null);
  const list = useRef<HTMLUListElement>(null);
  const index = Math.max(
    0,
    needs.findIndex((need) => need.key === chosen),
  );
  const current = needs[index];

  const onKey = useLatest((event: KeyboardEvent) => {
    if (
      isWriting(event.target) ||
      event.ctrlKey ||
      event.metaKey ||
      event.altKey ||
      document.querySelector("[role=dialog]")
    )
      return;
    const step =
      event.key === "j" || event.key === "ArrowDown" ? 1 : event.key === "k" || event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0) {
      const next = needs[Math.min(needs.length - 1, Math.max(0, index + step))];
      if (!next) return;
      event.preventDefault();
      setChosen(next.key);
      list.current?.querySelector<HTMLElement>(`[data-need="${next.key}"]`)?.scrollIntoView({ block: "nearest" });
      list.current
        ?.querySelector<HTMLElement>(`[data-need="${next.key}"] [tabindex="-1"]`)
        ?.focus({ preventScroll: true });
    } else if (
      event.key === "Enter" &&
      current &&
      !(event.target instanceof HTMLButtonElement) &&
      !(event.target instanceof HTMLAnchorElement)
    ) {
      event.preventDefault();
      void navigate({
        to: "/r/$room/$topic",
        params: { room: desk.rooms[current.room]?.name ?? current.room, topic: String(current.topic) },
      });
    }
  });
  useEffect(() => {
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [onKey]);

  return (
    <Page
      title={t("needs.title")}
      note={needs.length > 0 ? needs.length : undefined}
      actions={
        needs.length > 1 && (
          <span className={css.hint}>
            <Keys keys="J K" /> {t("needs.move")}
          </span>
        )
      }
    >
      {needs.length === 0 && (
        <div className={css.none}>
          <strong>{t("needs.none")}</strong>
          <p>{t("needs.noneHint")}</p>
        </div>
      )}
      {needs.length > 0 && <AskPermission />}
      <ul className={css.list} ref={list}>
        {needs.map((need) => (
          <li key={need.key} data-need={need.key} onFocus={() => setChosen(need.key)}>
            {need.type === "ask" ? (
              <Asked asked={need.interaction} head={<AskHead asked={need.interaction} />} isChosen={need === current} />
            ) : (
              <Other need={need} now={now} isChosen={need === current} />
            )}
          </li>
        ))}
      </ul>
    </Page>
  );
}

/** Asked for once, when there is something to tell, with a sentence of why. */
function AskPermission() {
  const [isDone, setDone] = useKept("notify.asked", false);
  const [permission, setPermission] = useState(() => ("Notification" in window ? Notification.permission : "denied"));
  if (isDone || permission !== "default") return null;
  return (
    <div className={css.ask}>
      <span>{t("notify.why")}</span>
      <Button onClick={() => void Notification.requestPermission().then(setPermission)}>
        {t("settings.permissionAsk")}
      </Button>
      <Button variant="subtle" onClick={() => setDone(true)}>
        {t("notify.no")}
      </Button>
    </div>
  );
}

const TITLES = {
  interrupted: "needs.interrupted",
  dead: "needs.dead",
  failed: "needs.failed",
  finished: "needs.finished",
} as const;

function Other({ need, now, isChosen }: { need: Exclude<Need, { type: "ask" }>; now: number; isChosen: boolean }) {
  const store = useStore();
  const navigate = useNavigate();
  const room = useSelect((state) => state.desk.rooms[need.room]);
  const glance = useSelect((state) => state.desk.topics[need.topic]);
  const link = useSelect((state) => state.link.state);
  const isAway = link !== "connected";
  const delivery = "delivery" in need ? need.delivery : null;
  const again = (isFresh: boolean) =>
    delivery && retryDelivery(delivery.id, isFresh).then((one) => store.take({ deliveries: [one] }), tellFailure);
  return (
    <section
      className={css.card}
      data-type={need.type}
      data-chosen={isChosen || undefined}
      tabIndex={-1}
      aria-label={t(TITLES[need.type], { agent: need.agent })}
    >
      <header>
        <Face kind="agent" name={need.agent} size={28} />
        <span>
          <b>{t(TITLES[need.type], { agent: need.agent })}</b>
          <Link to="/r/$room/$topic" params={{ room: room?.name ?? need.room, topic: String(need.topic) }}>
            {room?.name} › {glance?.topic.title}
          </Link>
        </span>
        <time>{ago(need.at, now)}</time>
      </header>
      <div>
        <p>{delivery ? delivery.error || t("needs.interruptedHint") : glance?.last?.text}</p>
        <div className={css.buttons}>
          {delivery && need.type === "interrupted" && delivery.run !== null && (
            <RunChoices run={delivery.run} isOff={isAway} />
          )}
          {delivery && need.type === "dead" && (
            <>
              <Button variant="filled" disabled={isAway} onClick={() => void again(false)}>
                {t("needs.again")}
              </Button>
              <Button disabled={isAway} onClick={() => void again(true)}>
                {t("needs.startOver")}
              </Button>
            </>
          )}
          {!delivery && glance?.last && (
            <Button disabled={isAway} onClick={() => store.markRead(need.topic, glance.last?.message ?? 0)}>
              {t("needs.read")}
            </Button>
          )}
          <Button
            variant="subtle"
            onClick={() =>
              void navigate({
                to: "/r/$room/$topic",
                params: { room: room?.name ?? need.room, topic: String(need.topic) },
              })
            }
          >
            {t("ask.openTopic")}
          </Button>
        </div>
      </div>
    </section>
  );
}
