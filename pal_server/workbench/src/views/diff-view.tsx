import { type CodeViewDiffItem, getFiletypeFromFileName, parsePatchFiles, registerCustomTheme } from "@pierre/diffs";
import { CodeView, type CodeViewHandle, type CodeViewReactOptions } from "@pierre/diffs/react";
import { ChevronDown, ChevronRight, Copy } from "lucide-react";
import { useEffect, useImperativeHandle, useMemo, useRef, useState } from "react";
import { countLines } from "../state/run-view";
import { t } from "../text/text";
import { loadTheme, THEME } from "../theme/diff";
import { languageOf } from "../ui/diff-languages";
import { patchOf } from "../ui/diff-text";
import { useIsDark } from "../ui/hooks";
import { copy } from "./copy";
import css from "./diff-view.module.css";
import type { Change, DiffsProps } from "./diffs";

type Item = CodeViewDiffItem<undefined>;
type Options = CodeViewReactOptions<undefined, undefined>;

const TYPES: Readonly<Record<string, "new" | "deleted">> = { add: "new", delete: "deleted" };
const LINE = 18; // pixels, as the style has it
const HEAD = 36; // the same
const LONGEST = 1_000; // characters of a line that are looked at for colours and changed words

registerCustomTheme(THEME.light, () => loadTheme("light"));
registerCustomTheme(THEME.dark, () => loadTheme("dark"));

/** Only what is near what is in sight is there, so a thousand files cost no more than ten. Everything in it is text. */
export function DiffView({ label, changes, isSplit = false, isWrapped = true, className, onTop, goTo }: DiffsProps) {
  const isDark = useIsDark();
  const view = useRef<CodeViewHandle<undefined, undefined>>(null);
  const box = useRef<HTMLDivElement>(null);
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const read = useRef(new Map<string, { change: Change; item: Item }>());
  const items = useMemo(
    () => changes.flatMap((change) => itemOf(change, read.current) ?? []).map((item) => folded(item, closed)),
    [changes, closed],
  );
  const byId = useMemo(() => new Map(changes.map((change) => [change.id, change])), [changes]);
  const options = useMemo<Options>(
    () => ({
      theme: THEME,
      themeType: isDark ? "dark" : "light",
      preferredHighlighter: "shiki-js",
      diffStyle: isSplit ? "split" : "unified",
      overflow: isWrapped ? "wrap" : "scroll",
      diffIndicators: "classic",
      hunkSeparators: "metadata", // as git says it, in no language
      stickyHeaders: true,
      tokenizeMaxLineLength: LONGEST,
      maxLineDiffLength: LONGEST,
      itemMetrics: { lineHeight: LINE, diffHeaderHeight: HEAD },
      layout: { paddingTop: 0, paddingBottom: 12, gap: 10 },
    }),
    [isDark, isSplit, isWrapped],
  );
  useImperativeHandle(goTo, () => (id: string) => view.current?.scrollTo({ type: "item", id, align: "start" }), []);
  useEffect(() => {
    box.current?.setAttribute("tabindex", "0");
    box.current?.setAttribute("role", "region");
    box.current?.setAttribute("aria-label", label);
  }, [label]);
  const toggle = (id: string) =>
    setClosed((before) => {
      const after = new Set(before);
      if (!after.delete(id)) after.add(id);
      return after;
    });
  if (items.length === 0) return <p className={css.none}>{t("panel.noDiff")}</p>;
  return (
    <CodeView
      ref={view}
      containerRef={box}
      items={items}
      options={options}
      className={[css.view, className].filter(Boolean).join(" ")}
      renderCustomHeader={({ id }) => {
        const change = byId.get(id);
        return change && <Head change={change} isOpen={!closed.has(id)} onToggle={() => toggle(id)} />;
      }}
      onScroll={(top, viewer) => onTop?.(topOf(items, top, (id) => viewer.getTopForItem(id)))}
    />
  );
}

function Head({ change, isOpen, onToggle }: { change: Change; isOpen: boolean; onToggle: () => void }) {
  const { path, edit, diff } = change;
  const [added, removed] = countLines(diff);
  const slash = path.lastIndexOf("/") + 1;
  const Arrow = isOpen ? ChevronDown : ChevronRight;
  return (
    <div className={css.head}>
      <button type="button" className={css.name} aria-expanded={isOpen} onClick={onToggle} title={path}>
        <Arrow size={15} aria-hidden />
        <span>
          <small>{path.slice(0, slash)}</small>
          {path.slice(slash)}
        </span>
        {edit && <em>{t("diff.edit", { n: edit[0], of: edit[1] })}</em>}
      </button>
      <span className={`${css.count} num mono`}>
        <ins>+{added}</ins> <del>-{removed}</del>
      </span>
      <button type="button" className={css.copy} aria-label={t("diff.copy", { path })} onClick={() => copy(diff)}>
        <Copy size={14} aria-hidden />
      </button>
    </div>
  );
}

/** The same item as before for the same change: what is shown of it stays as it is. */
function itemOf(change: Change, read: Map<string, { change: Change; item: Item }>): Item | null {
  const known = read.get(change.id);
  if (known?.change.diff === change.diff && known.change.change === change.change) return known.item;
  const [parsed] = parsePatchFiles(patchOf(change.diff)).flatMap((patch) => patch.files);
  if (!parsed) return null;
  const { prevName: _, ...file } = parsed;
  const fileDiff = {
    ...file,
    name: change.path,
    type: TYPES[change.change] ?? ("change" as const),
    lang: languageOf(getFiletypeFromFileName(change.path)),
  };
  const item: Item = { id: change.id, type: "diff", fileDiff, version: (known?.item.version ?? 0) + 2 };
  read.set(change.id, { change, item });
  return item;
}

/** Versions of what is open are even, and of what is folded odd: both differ from the one before. */
function folded(item: Item, closed: ReadonlySet<string>): Item {
  return closed.has(item.id) ? { ...item, collapsed: true, version: (item.version ?? 0) + 1 } : item;
}

/** The last item that begins at or above `top`. */
function topOf(items: readonly Item[], top: number, topFor: (id: string) => number | undefined): string {
  let [low, high] = [0, items.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((topFor(items[middle]?.id ?? "") ?? 0) <= top + 1) low = middle;
    else high = middle - 1;
  }
  return items[low]?.id ?? "";
}
