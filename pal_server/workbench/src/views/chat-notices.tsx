import { Button, NativeSelect } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { t } from "../text/text";
import type { ChangeChatNotices, ChatNoticesAnswer, ChatPlace } from "../wire/contract";
import { request } from "../wire/request";
import { confirm } from "./dialogs";
import { NewsSwitches } from "./news-switches";
import { platformName } from "./platforms";
import css from "./settings.module.css";
import { tell, tellFailure } from "./tell";

const KEY = ["chat-notices"];
const keyOf = (place: ChatPlace) => `${place.bot} ${place.identity}`;
const nameOf = (place: ChatPlace) =>
  t("chatNotices.place", { bot: place.name, platform: platformName(place.platform), person: place.person });

/** A chat outside in which a bot tells this person what their browser would tell them. */
export function ChatNoticesForm() {
  const queries = useQueryClient();
  const { data } = useQuery({ queryKey: KEY, queryFn: () => request("GET /api/chat-notices") });
  const [picked, setPicked] = useState<string | null>(null);
  if (!data) return null;
  const { notices, places } = data;
  const keep = (answer: ChatNoticesAnswer) => {
    queries.setQueryData(KEY, answer);
    tell(t("settings.saved"));
  };
  const here = notices?.place ?? null;
  const others = places.filter((place) => here === null || keyOf(place) !== keyOf(here));
  const wanted = others.find((place) => keyOf(place) === picked) ?? others[0];
  const choose = ({ bot, identity }: ChatPlace) =>
    request("POST /api/chat-notices", {
      body: {
        bot,
        identity,
        ...(notices && { needs: notices.needs, mentions: notices.mentions, runs: notices.runs }),
      },
    }).then(keep, tellFailure);
  const change = (body: ChangeChatNotices) => request("PATCH /api/chat-notices", { body }).then(keep, tellFailure);
  const remove = async () => {
    const isSure = await confirm({
      title: t("chatNotices.remove"),
      text: t("chatNotices.removeAsk"),
      confirm: t("chatNotices.remove"),
    });
    if (isSure) await request("DELETE /api/chat-notices").then(keep, tellFailure);
  };
  return (
    <section className={css.webhook}>
      <h2>{t("chatNotices.title")}</h2>
      <p>{t("chatNotices.hint")}</p>
      {notices && (
        <>
          <div className={css.row}>
            <span>{here ? nameOf(here) : t("chatNotices.unknown")}</span>
            <Button onClick={() => void remove()}>{t("chatNotices.remove")}</Button>
          </div>
          {notices.error !== null && <p role="alert">{t("chatNotices.failed", { reason: notices.error })}</p>}
          <NewsSwitches way={t("chatNotices.title")} wanted={notices} onChange={(body) => void change(body)} />
        </>
      )}
      {wanted && (
        <div className={css.row}>
          <NativeSelect
            aria-label={t("chatNotices.choose")}
            value={keyOf(wanted)}
            onChange={(event) => setPicked(event.currentTarget.value)}
            data={others.map((place) => ({ value: keyOf(place), label: nameOf(place) }))}
          />
          <Button onClick={() => void choose(wanted)}>{t(notices ? "chatNotices.change" : "chatNotices.add")}</Button>
        </div>
      )}
      {!notices && places.length === 0 && <p>{t("chatNotices.none")}</p>}
    </section>
  );
}
