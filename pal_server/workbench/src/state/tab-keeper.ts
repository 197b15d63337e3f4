/** Holds the tabs of this window, and keeps them and the browser's history together. */
import type { RouterHistory } from "@tanstack/react-router";
import { newId } from "./store";
import type { Tab, Tabs } from "./tabs";
import * as rules from "./tabs";

declare module "@tanstack/react-router" {
  interface HistoryState {
    /** The tab an entry of the history belongs to. */
    tab?: string | undefined;
    /** The visit it goes back to; without it the entry is a visit of its own. */
    view?: string | undefined;
  }
}

type Place = RouterHistory["location"];

/** What outlives a load, by name. */
export interface Keep {
  read: (name: string) => string | null;
  write: (name: string, text: string) => void;
}

/** Of the window itself; and of the one that changed last, for windows to come. */
export const BROWSER: Keep = {
  read: (name) => sessionStorage.getItem(`pal.${name}`) ?? localStorage.getItem(`pal.${name}`),
  write: (name, text) => {
    sessionStorage.setItem(`pal.${name}`, text);
    localStorage.setItem(`pal.${name}`, text);
  },
};

const USER = "user";

export class TabKeeper {
  private tabs: Tabs;
  /** Whose they are: until the server has said it, whoever was here last. */
  private user: string;
  /** Where the load began. */
  private readonly first: string;
  private readonly listeners = new Set<() => void>();

  constructor(
    private readonly history: RouterHistory,
    private readonly keep: Keep,
  ) {
    this.user = keep.read(USER) ?? "";
    this.tabs = this.kept();
    this.first = history.location.href;
    const push = history.push;
    const replace = history.replace;
    history.replace = (href, state, options) => replace(href, { ...this.stamp(href), ...state }, options);
    history.push = (href, state, options) => {
      const stamped = { ...this.stamp(href), ...state };
      const { location } = history;
      // A link to where one is already is no step that Back would have to undo.
      const isHere = location.href === href && location.state.tab === stamped.tab;
      if (isHere) replace(href, { view: viewOf(location), ...stamped }, options);
      else push(href, stamped, options);
    };
    this.begin();
    history.subscribe(({ location }) => this.visit(location));
  }

  get = (): Tabs => this.tabs;

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** It is this user who is here. Whether that leads to another page than where it seemed to lead. */
  belongTo(user: string): boolean {
    if (user === this.user) return false;
    const { location } = this.history;
    this.user = user;
    this.keep.write(USER, user);
    this.tabs = this.kept();
    this.history.replace(this.first, { tab: undefined, view: viewOf(location) });
    this.begin();
    return this.history.location.href !== location.href;
  }

  choose(tab: Tab | undefined): void {
    if (tab && tab.id !== this.tabs.active) this.history.push(tab.href, { tab: tab.id, view: tab.view });
  }

  /** A page in a tab of its own: behind the others, or in sight at once. */
  open(href: string, isBehind: boolean): void {
    const id = newId();
    this.set(rules.opened(this.tabs, { id, href, view: id }));
    if (!isBehind) this.choose(this.tabs.open.at(-1));
  }

  close(id: string): void {
    this.setAndGo(rules.closed(this.tabs, id));
  }

  /** By a key: not what is pinned, which somebody wanted to stay. */
  closeShown(): void {
    const shown = rules.activeOf(this.tabs);
    if (shown && !shown.isPinned) this.close(shown.id);
  }

  closeOthers(id: string): void {
    this.setAndGo(rules.closedOthers(this.tabs, id));
  }

  reopen(): void {
    this.setAndGo(rules.reopened(this.tabs));
  }

  pin(id: string, isPinned: boolean): void {
    this.set(rules.pinned(this.tabs, id, isPinned));
  }

  move(id: string, to: number): void {
    this.set(rules.moved(this.tabs, id, to));
  }

  step(by: number): void {
    this.choose(rules.stepped(this.tabs, by));
  }

  number(n: number): void {
    this.choose(rules.numbered(this.tabs, n));
  }

  private kept(): Tabs {
    return this.user === "" ? rules.NONE : rules.parse(this.keep.read(`tabs.${this.user}`));
  }

  /**
   * A load goes on in its own tab, and without an address where one was last; an address from elsewhere opens in the tab
   * that has it, else in the one in sight.
   */
  private begin(): void {
    const { location } = this.history;
    const { open, active } = this.tabs;
    const last = rules.activeOf(this.tabs);
    if (location.pathname === "/") {
      if (last) this.history.replace(last.href, { tab: active, view: last.view });
      return;
    }
    const { tab = open.find((one) => one.href === location.href)?.id } = location.state;
    this.visit({ ...location, state: { ...location.state, tab } });
    this.history.replace(location.href, { tab: this.tabs.active, view: viewOf(location) });
  }

  /** Whose tab a new entry is, where it does not say so itself. */
  private stamp(href: string): { tab: string | undefined } {
    return { tab: href === "/" ? undefined : (rules.landing(this.tabs, href)?.id ?? newId()) };
  }

  private visit(location: Place): void {
    if (location.pathname === "/") return;
    const { href, state } = location;
    this.set(rules.visited(this.tabs, { href, view: viewOf(location), tab: state.tab, fresh: newId() }));
  }

  private setAndGo(tabs: Tabs): void {
    const before = this.tabs.active;
    this.set(tabs);
    const next = rules.activeOf(tabs);
    if (next && next.id !== before) this.history.push(next.href, { tab: next.id, view: next.view });
  }

  private set(tabs: Tabs): void {
    if (tabs === this.tabs) return;
    this.tabs = tabs;
    if (this.user) this.keep.write(`tabs.${this.user}`, JSON.stringify({ open: tabs.open, active: tabs.active }));
    for (const listener of this.listeners) listener();
  }
}

/** The visit an entry of the history belongs to. */
export function viewOf({ state }: Pick<Place, "state">): string {
  return state.view ?? state.__TSR_key ?? "";
}
