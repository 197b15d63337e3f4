import { Check, Copy } from "lucide-react";
import { memo, type ReactElement, useMemo, useRef, useState } from "react";
import ReactMarkdown, { type Components } from "react-markdown";
import type { Growing } from "../state/blocks";
import { mayHoldFormulas, withFormulas } from "../state/formulas";
import { t } from "../text/text";
import { arriving } from "./arriving";
import { CodeLink } from "./code-link";
import css from "./markdown.module.css";
import { rehypeCodes } from "./markdown-codes";
import { readGfm } from "./markdown-gfm";
import { safe } from "./markdown-safe";

const SAFE = safe(location.origin);

/** Plugins before and after the allow-list. What comes after it makes nodes of its own, and takes only text from the words. */
interface Reading {
  remark: never[];
  rehype: never[];
}

const PLAIN: Reading = { remark: [readGfm] as never[], rehype: [...SAFE, rehypeCodes] as never[] };

const withPlugins = (more: { remark: readonly unknown[]; rehype: readonly unknown[] }): Reading => ({
  remark: [readGfm, ...more.remark] as never[],
  rehype: [...SAFE, rehypeCodes, ...more.rehype] as never[],
});

// Colours for code, the setting of formulas and what cuts a text into blocks are loaded with the first of them.
const useCode = arriving(() => import("./markdown-code").then(withPlugins));
const useFormulas = arriving(() => import("./markdown-formulas").then(withPlugins));
const useBlocks = arriving(() => import("../state/blocks"));

const COMPONENTS: Components & { "pal-code": typeof CodeLink } = {
  "pal-code": CodeLink,
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

interface BlockProps {
  text: string;
  mayHoldFormulas: boolean;
  isKept: boolean;
}

const Block = memo(function Block({ text, mayHoldFormulas, isKept }: BlockProps) {
  const formulas = useMemo(() => (mayHoldFormulas ? withFormulas(text) : null), [text, mayHoldFormulas]);
  const isCode = formulas === null && text.includes("```");
  const code = useCode(isCode);
  const setting = useFormulas(formulas !== null);
  return read(text, formulas, (isCode ? code : formulas !== null ? setting : null) ?? PLAIN, isKept);
});

/**
 * Of a text that grows only the block that grew is read again, and half a word of markup at its end is completed. One
 * with formulas is read by blocks too, because a block has either formulas or code; any other as it is.
 */
export const Markdown = memo(function Markdown({ text, isGrowing = false }: { text: string; isGrowing?: boolean }) {
  const isCut = isGrowing || mayHoldFormulas(text);
  const cutting = useBlocks(isCut);
  const growing = useRef<Growing | null>(null);
  const blocks = useMemo(() => {
    if (!isCut || cutting === null) return [text];
    if (!isGrowing) return cutting.blocksOf(text);
    growing.current ??= new cutting.Growing();
    return growing.current.read(text);
  }, [text, isGrowing, isCut, cutting]);
  return (
    <div className={css.markdown} data-growing={isGrowing || undefined}>
      {blocks.map((block, index) => (
        <Block
          // biome-ignore lint/suspicious/noArrayIndexKey: a block's place is what it is
          key={index}
          text={block}
          mayHoldFormulas={isCut && cutting !== null}
          isKept={!isGrowing}
        />
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
