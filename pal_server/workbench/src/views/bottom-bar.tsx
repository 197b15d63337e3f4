import { Link, useParams } from "@tanstack/react-router";
import { Hash, Inbox, LayoutGrid, Search, Workflow } from "lucide-react";
import { useMemo } from "react";
import { countNeeds } from "../state/attention";
import { roomsOf } from "../state/glances";
import { t } from "../text/text";
import { useSelect } from "../ui/hooks";
import { useNeeds } from "./attention";
import css from "./bottom-bar.module.css";
import { Amber } from "./sidebar";

/** The ways on a phone. */
export function BottomBar({ onSearch }: { onSearch: () => void }) {
  const allRooms = useSelect((state) => state.desk.rooms);
  const topics = useSelect((state) => state.desk.topics);
  const needs = countNeeds(useNeeds());
  const { room } = useParams({ strict: false });
  const rooms = useMemo(() => roomsOf({ rooms: allRooms, topics }), [allRooms, topics]);
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
      <Link to="/board" activeProps={here}>
        <LayoutGrid size={20} aria-hidden />
        {t("nav.board")}
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
