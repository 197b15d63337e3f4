import { Button } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { ago, dateTime, t } from "../text/text";
import { useNow, useSelect } from "../ui/hooks";
import type { Invite, Share } from "../wire/contract";
import { request } from "../wire/request";
import AddLink from "./add-link";
import { confirm } from "./dialogs";
import css from "./settings.module.css";
import table from "./table.module.css";
import { tellFailure } from "./tell";

/** Addresses that let others in: to look at one thing, or to join one room. */
export function LinksPage() {
  const queries = useQueryClient();
  const [isAdding, setAdding] = useState(false);
  const shares = useQuery({
    queryKey: ["shares"],
    queryFn: () => request("GET /api/shares", { query: { limit: 200 } }).then((found) => found.shares),
  });
  const invites = useQuery({
    queryKey: ["invites"],
    queryFn: () => request("GET /api/invites", { query: { limit: 200 } }).then((found) => found.invites),
  });
  const reload = () => {
    void queries.invalidateQueries({ queryKey: ["shares"] });
    void queries.invalidateQueries({ queryKey: ["invites"] });
  };
  const revoke = async (id: string, isInvite: boolean) => {
    const isSure = await confirm({ title: t("links.revoke"), text: t("links.revokeAsk"), confirm: t("links.revoke") });
    if (!isSure) return;
    const asked = isInvite
      ? request("POST /api/invites/{id}/revoke", { params: { id } })
      : request("POST /api/shares/{id}/revoke", { params: { id } });
    await asked.then(reload, tellFailure);
  };
  const isEmpty = shares.data?.length === 0 && invites.data?.length === 0;
  return (
    <div className={css.wide}>
      <div className={css.top}>
        <Button variant="filled" onClick={() => setAdding(true)}>
          {t("links.add")}
        </Button>
      </div>
      {isEmpty && <p className={table.none}>{t("links.none")}</p>}
      {!isEmpty && (
        <div className={table.wrap}>
          <table className={table.table}>
            <thead>
              <tr>
                <th>{t("links.shows")}</th>
                <th>{t("links.rights")}</th>
                <th>{t("links.until")}</th>
                <th data-right>{t("links.uses")}</th>
                <th />
              </tr>
            </thead>
            <tbody>
              {shares.data?.map((share) => (
                <LinkRow
                  key={share.id}
                  link={share}
                  shows={`${t(`links.${share.kind}`)} ${share.target}`}
                  rights={t(`links.${share.rights}`)}
                  onRevoke={() => void revoke(share.id, false)}
                />
              ))}
              {invites.data?.map((invite) => (
                <LinkRow
                  key={invite.id}
                  link={invite}
                  shows={`${t("links.room")} ${invite.room}`}
                  rights={t("links.invite")}
                  onRevoke={() => void revoke(invite.id, true)}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {isAdding && (
        <AddLink
          onClose={() => {
            setAdding(false);
            reload();
          }}
        />
      )}
    </div>
  );
}

interface Row {
  link: Share | Invite;
  shows: string;
  rights: string;
  onRevoke: () => void;
}

function LinkRow({ link, shows, rights, onRevoke }: Row) {
  const now = useNow();
  const rooms = useSelect((state) => state.desk.rooms);
  const room = "room" in link ? rooms[link.room] : link.kind === "room" ? rooms[link.target] : undefined;
  const hasEnded = link.revoked_at !== null || (link.expires_at !== null && link.expires_at <= now);
  return (
    <tr>
      <td>{room ? `${t("links.room")} ${room.title || room.name}` : shows}</td>
      <td className={table.quiet}>{rights}</td>
      <td className={table.quiet} title={dateTime(link.created_at)}>
        {link.expires_at === null ? t("links.always") : dateTime(link.expires_at)}
      </td>
      <td data-right className="num">
        {link.uses}
        {"last_used_at" in link && link.last_used_at !== null && <small> {ago(link.last_used_at, now)}</small>}
      </td>
      <td data-right>
        {hasEnded ? (
          <span className={table.quiet}>{t("tokens.ended")}</span>
        ) : (
          <Button onClick={onRevoke}>{t("links.revoke")}</Button>
        )}
      </td>
    </tr>
  );
}
