import { Button, TextInput } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { dateTime, t } from "../text/text";
import type { ChangeWebhook } from "../wire/contract";
import { request } from "../wire/request";
import { confirm } from "./dialogs";
import { NewsSwitches } from "./news-switches";
import css from "./settings.module.css";
import { tell, tellFailure } from "./tell";

const KEY = ["webhook"];

/** An address of this person that is told what their browser would be told. */
export function WebhookForm() {
  const queries = useQueryClient();
  const [url, setUrl] = useState("");
  const [secret, setSecret] = useState<string | null>(null);
  const { data: webhook } = useQuery({
    queryKey: KEY,
    queryFn: () => request("GET /api/webhook").then((found) => found.webhook),
  });
  const reload = () => queries.invalidateQueries({ queryKey: KEY });
  const create = () =>
    request("POST /api/webhook", { body: { url } }).then(async (made) => {
      setSecret(made.secret);
      setUrl("");
      await reload();
    }, tellFailure);
  const change = (wanted: ChangeWebhook) => request("PATCH /api/webhook", { body: wanted }).then(reload, tellFailure);
  const remove = async () => {
    const isSure = await confirm({
      title: t("webhook.remove"),
      text: t("webhook.removeAsk"),
      confirm: t("webhook.remove"),
    });
    if (isSure) await request("DELETE /api/webhook").then(reload, tellFailure);
  };
  return (
    <section className={css.webhook}>
      <h2>{t("webhook.title")}</h2>
      <p>{t("webhook.hint")}</p>
      {webhook && (
        <>
          <div className={css.row}>
            <span className="mono">{webhook.url}</span>
            <Button onClick={() => void remove()}>{t("webhook.remove")}</Button>
          </div>
          {webhook.error !== null && webhook.failed_at !== null && (
            <p role="alert">{t("webhook.failed", { reason: webhook.error, time: dateTime(webhook.failed_at) })}</p>
          )}
          <NewsSwitches way={t("webhook.title")} wanted={webhook} onChange={(wanted) => void change(wanted)} />
        </>
      )}
      {secret !== null && (
        <div className={css.command}>
          <p>{t("webhook.secret")}</p>
          <pre>{secret}</pre>
          <Button
            onClick={() =>
              void navigator.clipboard.writeText(secret).then(() => tell(t("confirm.copied")), tellFailure)
            }
          >
            {t("confirm.copy")}
          </Button>
        </div>
      )}
      <form
        className={css.row}
        onSubmit={(event) => {
          event.preventDefault();
          void create();
        }}
      >
        <TextInput
          type="url"
          aria-label={t("webhook.url")}
          placeholder="https://"
          value={url}
          onChange={(event) => setUrl(event.currentTarget.value)}
        />
        <Button type="submit" disabled={url.trim() === ""}>
          {webhook ? t("webhook.change") : t("webhook.add")}
        </Button>
      </form>
    </section>
  );
}
