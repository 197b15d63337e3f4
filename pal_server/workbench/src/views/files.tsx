import { Button, Menu } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { EllipsisVertical, FileText } from "lucide-react";
import { cleanUpFiles, listFiles, revokeFile } from "../api/files";
import { newId } from "../state/store";
import { ago, dateTime, t } from "../text/text";
import { useNow, useSelect } from "../ui/hooks";
import type { File } from "../wire/contract";
import { request } from "../wire/request";
import { copy } from "./copy";
import { confirm } from "./dialogs";
import css from "./files.module.css";
import { Choice, FilterBar, RoomChoice, StateChoice } from "./filter-bar";
import { useFilters } from "./filters";
import { useFresh } from "./fresh";
import { ListFoot } from "./list-foot";
import { sizeOf } from "./message";
import { Page } from "./page";
import table from "./table.module.css";
import { tell, tellFailure } from "./tell";

const KINDS = ["image/", "text/", "application/pdf", "application/zip"] as const;
const DAY = 24 * 3_600_000; // milliseconds
const SHARED_FOR = 7 * DAY;

/** What agents made and people attached, newest first; one may see what one's rooms let one see. */
export function FilesView() {
  const [{ q = "", room = "", kind = "", state = "" }] = useFilters();
  const role = useSelect((found) => found.desk.me.role);
  const now = useNow();
  const key = ["files", q, room, kind, state];
  const query = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam }) => listFiles({ q, room, mime: kind, state, after: pageParam }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
    placeholderData: (before) => before,
  });
  useFresh(["files"], "file");
  const files = query.data?.pages.flatMap((page) => page.artifacts) ?? [];
  const cleanUp = async () => {
    const isSure = await confirm({
      title: t("files.cleanUp"),
      text: t("files.cleanUpAsk"),
      confirm: t("files.cleanUp"),
    });
    if (isSure) await cleanUpFiles().then((n) => tell(t("files.cleaned", { n })), tellFailure);
  };
  return (
    <Page
      title={t("nav.files")}
      actions={
        (role === "owner" || role === "admin") && <Button onClick={() => void cleanUp()}>{t("files.cleanUp")}</Button>
      }
    >
      <FilterBar find={t("files.find")}>
        <RoomChoice />
        <Choice
          name="kind"
          label={t("files.kind")}
          every={t("files.anyKind")}
          of={KINDS.map((one) => ({ value: one, label: nameOf(one) }))}
        />
        <StateChoice
          of={[
            { value: "live", label: t("files.live") },
            { value: "ended", label: t("files.ended") },
          ]}
        />
      </FilterBar>
      {files.length > 0 && (
        <div className={table.wrap}>
          <table className={table.table}>
            <thead>
              <tr>
                <th>{t("files.file")}</th>
                <th>{t("history.room")}</th>
                <th>{t("files.by")}</th>
                <th>{t("tokens.made")}</th>
                <th data-right>{t("files.size")}</th>
                <th>
                  <span className="sr">{t("files.acts")}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {files.map((file) => (
                <Row key={file.id} file={file} now={now} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      <ListFoot
        count={files.length}
        none={t("files.none")}
        nothing={t("files.nothing")}
        pages={query}
        more={t("files.more")}
      />
    </Page>
  );
}

function Row({ file, now }: { file: File; now: number }) {
  const room = useSelect((state) => (file.room === null ? undefined : state.desk.rooms[file.room]));
  const role = useSelect((state) => state.desk.me.role);
  const me = useSelect((state) => state.desk.users[state.desk.me.name]?.id);
  const hasEnded = file.revoked_at !== null || (file.expires_at !== null && file.expires_at <= now);
  const isMine = file.made_by === `user:${me}`;
  const mayEnd = !hasEnded && (isMine || role === "owner" || role === "admin");
  const isPicture = /^image\/(png|jpeg|gif|webp)$/.test(file.mime);
  const share = () =>
    request("POST /api/shares", {
      body: { file: file.id, expires_at: Date.now() + SHARED_FOR, client_id: newId() },
    }).then(({ url }) => copy(url), tellFailure);
  const end = async () => {
    const isSure = await confirm({
      title: t("files.revoke"),
      text: t("files.revokeAsk", { name: file.name }),
      confirm: t("files.revoke"),
    });
    if (isSure) await revokeFile(file.id).catch(tellFailure);
  };
  return (
    <tr data-file={file.id}>
      <td>
        <span className={css.file} data-ended={hasEnded || undefined}>
          {isPicture && !hasEnded ? (
            <img src={file.url} alt="" loading="lazy" width={36} height={28} />
          ) : (
            <FileText size={17} aria-hidden />
          )}
          <span>
            {hasEnded ? (
              <b>{file.title || file.name}</b>
            ) : (
              <a href={file.url} target="_blank" rel="noreferrer">
                {file.title || file.name}
              </a>
            )}
            <small>
              {file.title ? `${file.name}, ` : ""}
              {file.mime}
              {hasEnded && `, ${t("tokens.ended")}`}
              {!hasEnded && file.expires_at !== null && `, ${t("files.until", { time: dateTime(file.expires_at) })}`}
            </small>
          </span>
        </span>
      </td>
      <td>
        {room && (
          <Link to="/r/$room" params={{ room: room.name }}>
            {room.name}
          </Link>
        )}
      </td>
      <td className={table.quiet}>
        <Maker file={file} />
      </td>
      <td className={table.quiet} title={dateTime(file.created_at)}>
        {ago(file.created_at, now)}
      </td>
      <td data-right className={`${table.quiet} num`}>
        {sizeOf(file.size)}
      </td>
      <td data-right>
        {!hasEnded && (
          <Menu position="bottom-end">
            <Menu.Target>
              <Button variant="subtle" size="compact-sm" aria-label={`${t("files.acts")}: ${file.name}`}>
                <EllipsisVertical size={16} />
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item component="a" href={file.url} download={file.name}>
                {t("files.download")}
              </Menu.Item>
              <Menu.Item onClick={() => copy(new URL(file.url, location.href).href)}>{t("topic.copyLink")}</Menu.Item>
              {role !== "viewer" && <Menu.Item onClick={() => void share()}>{t("files.share")}</Menu.Item>}
              {mayEnd && <Menu.Item onClick={() => void end()}>{t("files.revoke")}</Menu.Item>}
            </Menu.Dropdown>
          </Menu>
        )}
      </td>
    </tr>
  );
}

/** Who brought it: a run, which can be opened, or a person by name. */
function Maker({ file }: { file: File }) {
  const users = useSelect((state) => state.desk.users);
  if (file.run !== null) {
    return (
      <Link to="." search={((before: object) => ({ ...before, run: file.run })) as never}>
        {t("run.title", { id: file.run })}
      </Link>
    );
  }
  const person = Object.values(users).find((user) => `user:${user.id}` === file.made_by);
  return person ? person.display_name || person.username : (file.made_by.split(":", 1)[0] ?? "");
}

function nameOf(kind: (typeof KINDS)[number]): string {
  switch (kind) {
    case "image/":
      return t("files.images");
    case "text/":
      return t("files.texts");
    case "application/pdf":
      return "PDF";
    case "application/zip":
      return "ZIP";
  }
}
