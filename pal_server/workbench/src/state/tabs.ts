/**
 * Which tabs are open over the main pane, in what order, and which one is in sight. Pure.
 *
 * The address is what counts: each entry of the browser's history says whose tab it is, and a tab is where its newest
 * entry leads. So Back and Forward go through tabs as they go through pages.
 */

export interface Tab {
  id: string;
  /** Path and search of the page it shows. */
  href: string;
  /** Names one visit of a page: who comes back to it finds it as it was left. */
  view: string;
  /** It stays at the beginning and keeps its page: what is opened from it is opened beside it. */
  isPinned: boolean;
}

export interface Tabs {
  /** Pinned ones first. */
  open: readonly Tab[];
  /** The id of the one in sight; empty while there is none. */
  active: string;
  /** Those that were closed, with the place they had; the newest last. */
  closed: readonly { tab: Tab; at: number }[];
}

/** A page that is shown now. */
export interface Visit {
  href: string;
  view: string;
  /** The tab its entry of the history belongs to; none: whichever is in sight. */
  tab?: string | undefined;
  /** The id of the tab that is made if one has to be. */
  fresh: string;
}

export const NONE: Tabs = { open: [], active: "", closed: [] };
const CLOSED_KEPT = 20;
const OPEN_KEPT = 100; // tabs that come back after a reload

export function activeOf(tabs: Tabs): Tab | undefined {
  return tabs.open.find((one) => one.id === tabs.active);
}

/** What a page is about: the settings are one thing, whichever of their pages is open. */
export function subjectOf(href: string): string {
  const path = pathOf(href);
  return path.startsWith("/settings") ? "/settings" : path;
}

export function pathOf(href: string): string {
  return href.split(/[?#]/, 1)[0] ?? "";
}

/** The tab in which a page opens that is chosen in this one: itself, unless it is pinned to another page. None: a new one. */
export function landing(tabs: Tabs, href: string, id = tabs.active): Tab | undefined {
  const chosen = tabs.open.find((one) => one.id === id);
  if (!chosen || mayShow(chosen, href)) return chosen;
  return tabs.open.find((one) => !one.isPinned && one.href === href);
}

/** A page is shown: by a click, a link from elsewhere, Back or Forward. */
export function visited(tabs: Tabs, visit: Visit): Tabs {
  const { href, view, tab = tabs.active } = visit;
  const shown = landing(tabs, href, tab);
  if (shown) return { ...tabs, active: shown.id, open: put(tabs.open, { ...shown, href, view }) };
  const isBack = tab !== "" && indexOf(tabs, tab) < 0; // of one that was closed
  const made = { id: isBack ? tab : visit.fresh, href, view, isPinned: false };
  const closed = tabs.closed.filter((one) => one.tab.id !== made.id);
  return { open: inserted(tabs.open, made, indexOf(tabs, tabs.active) + 1), active: made.id, closed };
}

/** One more at the end, out of sight. */
export function opened(tabs: Tabs, made: Pick<Tab, "id" | "href" | "view">): Tabs {
  return { ...tabs, open: [...tabs.open, { ...made, isPinned: false }] };
}

/** The last one stays. After the one in sight comes the next, or the one before. */
export function closed(tabs: Tabs, id: string): Tabs {
  const at = indexOf(tabs, id);
  const tab = tabs.open[at];
  if (!tab || tabs.open.length === 1) return tabs;
  const open = tabs.open.filter((one) => one !== tab);
  const active = tabs.active === id ? (open[Math.min(at, open.length - 1)]?.id ?? "") : tabs.active;
  return { open, active, closed: [...tabs.closed, { tab, at }].slice(-CLOSED_KEPT) };
}

/** All but this one and those that are pinned. */
export function closedOthers(tabs: Tabs, id: string): Tabs {
  return tabs.open.filter((one) => one.id !== id && !one.isPinned).reduce((left, one) => closed(left, one.id), tabs);
}

/** The one that was closed last is where it was, and in sight. */
export function reopened(tabs: Tabs): Tabs {
  const last = tabs.closed.at(-1);
  if (!last) return tabs;
  const open = inserted(tabs.open, { ...last.tab, isPinned: false }, last.at);
  return { open, active: last.tab.id, closed: tabs.closed.slice(0, -1) };
}

export function pinned(tabs: Tabs, id: string, isPinned: boolean): Tabs {
  const tab = tabs.open.find((one) => one.id === id);
  if (!tab) return tabs;
  const others = tabs.open.filter((one) => one !== tab);
  return { ...tabs, open: inserted(others, { ...tab, isPinned }, isPinned ? others.length : 0) };
}

/** To another place among its kind: nothing comes before a pinned one that is not pinned itself. */
export function moved(tabs: Tabs, id: string, to: number): Tabs {
  const tab = tabs.open.find((one) => one.id === id);
  if (!tab) return tabs;
  const open = inserted(
    tabs.open.filter((one) => one !== tab),
    tab,
    to,
  );
  return { ...tabs, open };
}

/** The one so many further, around the end. */
export function stepped(tabs: Tabs, by: number): Tab | undefined {
  const { length } = tabs.open;
  return length === 0 ? undefined : tabs.open[(indexOf(tabs, tabs.active) + by + length) % length];
}

/** The first to eighth; the ninth is the last, however many there are. */
export function numbered(tabs: Tabs, n: number): Tab | undefined {
  return n === 9 ? tabs.open.at(-1) : tabs.open[n - 1];
}

export function parse(stored: string | null): Tabs {
  if (stored === null) return NONE;
  try {
    const found = JSON.parse(stored) as Partial<Tabs> | null;
    const open = (Array.isArray(found?.open) ? found.open : []).filter(isTab).slice(0, OPEN_KEPT);
    const active = open.some((one) => one.id === found?.active) ? found?.active : open[0]?.id;
    const sorted = open.toSorted((one, other) => Number(other.isPinned) - Number(one.isPinned));
    return { open: sorted, active: active ?? "", closed: [] };
  } catch {
    return NONE;
  }
}

function isTab(one: Partial<Tab> | null): one is Tab {
  return (
    typeof one?.id === "string" &&
    typeof one.view === "string" &&
    typeof one.isPinned === "boolean" &&
    typeof one.href === "string" &&
    /^\/(?![/\\])/.test(one.href)
  );
}

function mayShow(tab: Tab, href: string): boolean {
  return !tab.isPinned || subjectOf(tab.href) === subjectOf(href);
}

function indexOf(tabs: Tabs, id: string): number {
  return tabs.open.findIndex((one) => one.id === id);
}

function put(open: readonly Tab[], tab: Tab): Tab[] {
  return open.map((one) => (one.id === tab.id ? tab : one));
}

/** At this place, or the nearest to it that its kind may have. */
function inserted(others: readonly Tab[], tab: Tab, at: number): Tab[] {
  const pins = others.filter((one) => one.isPinned).length;
  const place = tab.isPinned ? Math.min(Math.max(at, 0), pins) : Math.min(Math.max(at, pins), others.length);
  return [...others.slice(0, place), tab, ...others.slice(place)];
}
