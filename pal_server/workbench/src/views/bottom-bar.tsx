import { Link, useParams } from "@tanstack/react-router";
import { Hash, Inbox, Search, Workflow } from "lucide-react";
import { useMemo } from "react";
import { countNeeds, needsOf } from "../state/attention";
import { roomsOf } from "../state/glances";
import { t } from "../text/text";
import { useNow, useSelect } from "../ui/hooks";
import css from "./bottom-bar.module.css";
import { Amber } from "./sidebar";

/** The four ways on a phone. */
export function BottomBar({ onSearch }: { onSearch: () => void }) {
  const desk = useSelect((state) => state.desk);
  const now = useNow(30_000);
  const needs = useMemo(() => countNeeds(needsOf(desk, now)), [desk, now]);
  const { room } = useParams({ strict: false });
  const rooms = roomsOf(desk);
  const first = room ?? rooms.find((one) => one.unread > 0)?.room.name ?? rooms[0]?.room.name ?? "general";
  const here = { "data-here": true } as object;
  return (
    <nav className={css.bar} aria-label={t("nav.main")} data-region>
      <Link to="/needs" activeProps={here}>
        <span className={css.icon}>
          <Inbox size={20} aria-hidden />
          <Amber count={needs} />
        </span>
        {t("nav.needs")}
      </Link>
      <Link
        to="/r/$room"
        params={{ room: first }}
        data-here={room !== undefined || undefined}
        activeOptions={{ exact: true }}
      >
        <Hash size={20} aria-hidden />
        {t("nav.rooms")}
      </Link>
      <Link to="/runs" activeProps={here}>
        <Workflow size={20} aria-hidden />
        {t("nav.runs")}
      </Link>
      <button type="button" onClick={onSearch}>
        <Search size={20} aria-hidden />
        {t("nav.find")}
      </button>
    </nav>
  );
}
