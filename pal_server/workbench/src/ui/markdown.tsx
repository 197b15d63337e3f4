import { Check, Copy } from "lucide-react";
import { memo, type ReactElement, useEffect, useMemo, useRef, useState } from "react";
import ReactMarkdown, { type Components } from "react-markdown";
import remarkGfm from "remark-gfm";
import { blocksOf, Growing } from "../state/blocks";
import { withFormulas } from "../state/formulas";
import { t } from "../text/text";
import css from "./markdown.module.css";
import { safe } from "./markdown-safe";

const SAFE = safe(location.origin);

/** Plugins before and after the allow-list. What comes after it makes nodes of its own, and takes only text from the words. */
interface Reading {
  remark: never[];
  rehype: never[];
}

const PLAIN: Reading = { remark: [remarkGfm] as never[], rehype: SAFE as never[] };

type Extra = "code" | "formulas";
const loading = new Map<Extra, Promise<Reading>>();
const loaded = new Map<Extra, Reading>();

/** Colours for code and the setting of formulas are loaded with the first of them. */
function load(extra: Extra): Promise<Reading> {
  const known = loading.get(extra);
  if (known) return known;
  const begun = (extra === "code" ? import("./markdown-code") : import("./markdown-formulas")).then((plugins) => {
    const reading: Reading = {
      remark: [remarkGfm, ...plugins.remark] as never[],
      rehype: [...SAFE, ...plugins.rehype] as never[],
    };
    loaded.set(extra, reading);
    return reading;
  });
  loading.set(extra, begun);
  return begun;
}

function useReading(extra: Extra | null): Reading {
  const [, setLoaded] = useState(false);
  const reading = extra === null ? PLAIN : loaded.get(extra);
  useEffect(() => {
    if (extra !== null && !loaded.has(extra)) load(extra).then(() => setLoaded(true), console.warn);
  }, [extra]);
  return reading ?? PLAIN;
}

const COMPONENTS: Components = {
  a: ({ href, children }) => (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  ),
  img: ({ src, alt }) =>
    typeof src === "string" && src.startsWith(`${location.origin}/f/`) ? (
      <img src={src} alt={alt ?? ""} loading="lazy" />
    ) : (
      <em>{alt || t("image.blocked")}</em>
    ),
  pre: ({ children }) => <CodeBlock>{children}</CodeBlock>,
  table: ({ children }) => (
    <div className={css.table} tabIndex={0} role="group">
      <table>{children}</table>
    </div>
  ),
};

const SHOWN = 600; // blocks whose elements are remembered, so that a topic is there at once when one comes back to it
const shown = new Map<string, { reading: Reading; element: ReactElement }>();

/** The block as elements. They depend on the text alone, so what was read once is not read again. */
function read(text: string, formulas: string | null, reading: Reading, isKept: boolean): ReactElement {
  const known = shown.get(text);
  if (known?.reading === reading) return known.element;
  const element = ReactMarkdown({
    children: reading === PLAIN ? text : (formulas ?? text),
    remarkPlugins: reading.remark,
    rehypePlugins: reading.rehype,
    components: COMPONENTS,
    skipHtml: true,
  });
  if (isKept) {
    shown.delete(text);
    shown.set(text, { reading, element });
    const [oldest] = shown.keys();
    if (shown.size > SHOWN && oldest !== undefined) shown.delete(oldest);
  }
  return element;
}

const Block = memo(function Block({ text, isKept }: { text: string; isKept: boolean }) {
  const formulas = useMemo(() => withFormulas(text), [text]);
  const reading = useReading(formulas !== null ? "formulas" : text.includes("```") ? "code" : null);
  return read(text, formulas, reading, isKept);
});

/** Only the block that grew is read again; half a word of markup at the end is completed while it grows. */
export const Markdown = memo(function Markdown({ text, isGrowing = false }: { text: string; isGrowing?: boolean }) {
  const growing = useRef<Growing | null>(null);
  const blocks = useMemo(() => {
    if (!isGrowing) return blocksOf(text);
    growing.current ??= new Growing();
    return growing.current.read(text);
  }, [text, isGrowing]);
  return (
    <div className={css.markdown} data-growing={isGrowing || undefined}>
      {blocks.map((block, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a block's place is what it is
        <Block key={index} text={block} isKept={!isGrowing} />
      ))}
    </div>
  );
});

function CodeBlock({ children }: { children: React.ReactNode }) {
  const [isCopied, setCopied] = useState(false);
  const copy = (event: React.MouseEvent<HTMLButtonElement>) => {
    const code = event.currentTarget.parentElement?.querySelector("code")?.textContent ?? "";
    navigator.clipboard.writeText(code).then(() => {
      setCopied(true);
      setTimeout(() => setCopied(false), 1500);
    }, console.warn);
  };
  return (
    <div className={css.code}>
      <pre tabIndex={0}>{children}</pre>
      <button type="button" onClick={copy} aria-label={isCopied ? t("confirm.copied") : t("code.copy")}>
        {isCopied ? <Check size={14} aria-hidden /> : <Copy size={14} aria-hidden />}
      </button>
    </div>
  );
}
