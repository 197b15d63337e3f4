import { ActionIcon } from "@mantine/core";
import { Link, useParams } from "@tanstack/react-router";
import { Hash, Lock, PanelLeft, Plus, Search, Settings } from "lucide-react";
import { type ReactNode, useMemo, useState } from "react";
import { countNeeds } from "../state/attention";
import { LIVE } from "../state/desk";
import { roomsOf } from "../state/glances";
import { grouped, projectsOf } from "../state/projects";
import { t } from "../text/text";
import { Edge } from "../ui/edge";
import { Face } from "../ui/face";
import { useKept, useMayWrite, useSelect } from "../ui/hooks";
import { Keys } from "../ui/keys";
import { later } from "../ui/later";
import type { Room } from "../wire/contract";
import { useAgents } from "./agents";
import { useNeeds } from "./attention";
import { PLACES } from "./places";
import { ProjectSwitch } from "./project-switch";
import css from "./sidebar.module.css";

const NewRoom = later(() => import("./new-room").then((found) => found.NewRoom));

const LEAST = 180; // pixels
const MOST = 420;
const HERE_MOST = 12; // people

interface Props {
  isRail: boolean;
  /** Pixels, where it is no rail. */
  width: number;
  onWidth: (width: number) => void;
  onFold: () => void;
  onSearch: () => void;
}

/** Where one can go, and what waits there. In a rail the words are hidden from sight only. */
export function Sidebar({ isRail, width, onWidth, onFold, onSearch }: Props) {
  const allRooms = useSelect((state) => state.desk.rooms);
  const topics = useSelect((state) => state.desk.topics);
  const runs = useSelect((state) => state.desk.runs);
  const needs = useNeeds();
  const rooms = useMemo(() => roomsOf({ rooms: allRooms, topics }), [allRooms, topics]);
  const live = useMemo(() => Object.values(runs).filter((run) => LIVE.has(run.status)), [runs]);
  const known = useSelect((state) => state.desk.projects);
  const [kept, choose] = useKept("project", "");
  const chosen = known[kept]?.archived_at === null ? kept : "";
  const groups = useMemo(
    () =>
      grouped(projectsOf({ projects: known }), rooms).filter(({ project, rooms }) =>
        chosen === "" ? project === null || rooms.length > 0 : project?.id === chosen,
      ),
    [known, rooms, chosen],
  );
  const mayWrite = useMayWrite();
  const [isMaking, setMaking] = useState(false);
  return (
    <nav className={css.side} aria-label={t("nav.main")} data-rail={isRail || undefined} data-region>
      <header className={css.head}>
        <span className={css.mark} aria-hidden>
          p
        </span>
        {!isRail && <ProjectSwitch chosen={chosen} onChoose={choose} />}
        {!isRail && (
          <ActionIcon onClick={onFold} aria-label={t("nav.collapse")}>
            <PanelLeft size={17} />
          </ActionIcon>
        )}
      </header>
      <button type="button" className={css.search} onClick={onSearch} aria-label={isRail ? t("nav.search") : undefined}>
        <Search size={15} aria-hidden />
        {!isRail && <span>{t("nav.search")}</span>}
        {!isRail && <Keys keys="Mod K" />}
      </button>
      <div className={css.scroll}>
        {PLACES.map(({ to, name, icon: Icon }) => (
          <Place key={to} to={to} icon={<Icon size={17} />} name={t(name)} isRail={isRail}>
            {to === "/needs" && <Amber count={countNeeds(needs)} />}
            {to === "/runs" && live.length > 0 && !isRail && (
              <span className={css.live}>
                <i aria-hidden />
                {t("nav.live", { n: live.length })}
              </span>
            )}
          </Place>
        ))}
        {groups.map(({ project, rooms }, at) => (
          <div key={project?.id ?? ""}>
            <h2 className={css.group}>
              {project ? (
                <Link to="/projects/$project" params={{ project: project.key }} title={project.name}>
                  {project.name}
                </Link>
              ) : (
                <span>{t("nav.rooms")}</span>
              )}
              {!isRail && mayWrite && at === groups.length - 1 && (
                <ActionIcon size={22} onClick={() => setMaking(true)} aria-label={t("nav.newRoom")}>
                  <Plus size={15} />
                </ActionIcon>
              )}
            </h2>
            <ul className={css.list}>
              {rooms.map(({ room, unread }) => (
                <RoomPlace
                  key={room.id}
                  room={room}
                  unread={unread}
                  busy={live.filter((run) => run.room === room.id).length}
                  asked={countNeeds(needs.filter((need) => need.room === room.id))}
                  isRail={isRail}
                />
              ))}
            </ul>
          </div>
        ))}
        <Agents isRail={isRail} />
        <People isRail={isRail} />
      </div>
      <Foot isRail={isRail} />
      {!isRail && (
        <Edge label={t("nav.resize")} side="right" width={width} least={LEAST} most={MOST} onWidth={onWidth} />
      )}
      {isMaking && <NewRoom project={chosen} onClose={() => setMaking(false)} />}
    </nav>
  );
}

interface RoomProps {
  room: Room;
  unread: number;
  /** How many runs live there. */
  busy: number;
  /** How much waits there for a person. */
  asked: number;
  isRail: boolean;
}

function RoomPlace({ room, unread, busy, asked, isRail }: RoomProps) {
  const { room: here } = useParams({ strict: false });
  return (
    <li>
      <Link
        to="/r/$room"
        params={{ room: room.name }}
        className={css.place}
        data-here={here === room.name || here === room.id || undefined}
        data-unread={unread > 0 || undefined}
        title={isRail ? room.title : undefined}
      >
        {isRail ? (
          <span className={css.letters} aria-hidden>
            {room.name.slice(0, 2)}
          </span>
        ) : room.visibility === "private" ? (
          <Lock size={15} aria-hidden />
        ) : (
          <Hash size={16} aria-hidden />
        )}
        <span className={isRail ? "sr" : css.name}>{room.name}</span>
        <Busy runs={busy} />
        <Amber count={asked} />
        {!isRail && <Count of={unread} />}
      </Link>
    </li>
  );
}

function Place(props: { to: string; icon: ReactNode; name: string; isRail: boolean; children?: ReactNode }) {
  const { to, icon, name, isRail, children } = props;
  return (
    <Link
      to={to as "/needs"}
      className={css.place}
      activeOptions={{ includeSearch: false }}
      activeProps={{ "data-here": true } as object}
      title={isRail ? name : undefined}
    >
      {icon}
      <span className={isRail ? "sr" : css.name}>{name}</span>
      {children}
    </Link>
  );
}

function Agents({ isRail }: { isRail: boolean }) {
  const agents = useAgents();
  if (agents.length === 0) return null;
  return (
    <>
      <h2 className={css.group}>
        <span>{t("nav.agents")}</span>
      </h2>
      <ul className={css.list}>
        {agents.map(({ agent, dot, says, link }) => (
          <li key={agent.key}>
            <Link {...link} className={css.place} title={isRail ? agent.key : undefined}>
              <Face kind="agent" name={agent.key} label={agent.display_name} size={22} dot={dot} />
              <span className={isRail ? "sr" : css.name}>{agent.key}</span>
              {!isRail && <span className={css.says}>{says}</span>}
            </Link>
          </li>
        ))}
      </ul>
    </>
  );
}

/** Who else is here now. */
function People({ isRail }: { isRail: boolean }) {
  const present = useSelect((state) => state.desk.present);
  const users = useSelect((state) => state.desk.users);
  const me = useSelect((state) => state.desk.me.name);
  const here = Object.keys(present)
    .filter((name) => name !== me)
    .sort((one, other) => one.localeCompare(other));
  if (here.length === 0) return null;
  return (
    <>
      <h2 className={css.group}>
        <span>{t("nav.people")}</span>
      </h2>
      <ul className={css.list}>
        {here.slice(0, HERE_MOST).map((name) => (
          <li key={name}>
            <Link
              to="/settings/$page"
              params={{ page: "people" }}
              className={css.place}
              title={isRail ? name : undefined}
            >
              <Face kind="user" name={name} label={users[name]?.display_name ?? name} size={22} dot="present" />
              <span className={isRail ? "sr" : css.name}>{users[name]?.display_name || name}</span>
            </Link>
          </li>
        ))}
      </ul>
    </>
  );
}

function Foot({ isRail }: { isRail: boolean }) {
  const me = useSelect((state) => state.desk.me);
  const computers = useSelect((state) => state.desk.computers);
  const all = Object.values(computers).filter((one) => one.status !== "revoked");
  const online = all.filter((one) => one.status === "online" || one.status === "draining");
  const [only] = online;
  const said =
    online.length === 0
      ? t("nav.noComputer")
      : all.length === 1 && only
        ? t("nav.computerOnline", { name: only.name })
        : t("nav.computersOnline", { n: online.length, all: all.length });
  return (
    <footer className={css.foot}>
      <Face kind="user" name={me.name} label={me.display_name} size={28} />
      {!isRail && (
        <span className={css.me}>
          <strong>{me.display_name || me.name}</strong>
          <small>{said}</small>
        </span>
      )}
      <Link to="/settings" className={css.gear} data-tip={t("nav.settings")} aria-label={t("nav.settings")}>
        <Settings size={17} aria-hidden />
      </Link>
    </footer>
  );
}

function Busy({ runs }: { runs: number }) {
  if (runs === 0) return null;
  return (
    <span className={css.live}>
      <i aria-hidden />
      <span className="sr">{t("nav.live", { n: runs })}</span>
    </span>
  );
}

export function Amber({ count }: { count: number }) {
  if (count === 0) return null;
  return (
    <span className={css.amber}>
      <span aria-hidden>{count}</span>
      <span className="sr">{t("nav.waiting", { n: count })}</span>
    </span>
  );
}

export function Count({ of }: { of: number }) {
  if (of === 0) return null;
  return (
    <span className={css.count}>
      <span aria-hidden>{of > 99 ? "99+" : of}</span>
      <span className="sr">{t("nav.unread", { n: of })}</span>
    </span>
  );
}
