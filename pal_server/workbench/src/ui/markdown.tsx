import { Check, Copy } from "lucide-react";
import { marked } from "marked";
import { memo, useEffect, useMemo, useState } from "react";
import ReactMarkdown, { type Components } from "react-markdown";
import { harden } from "rehype-harden";
import rehypeSanitize from "rehype-sanitize";
import remarkGfm from "remark-gfm";
import remend from "remend";
import { t } from "../text/text";
import css from "./markdown.module.css";

/*
 * What people and agents write. Markup in it is text: raw HTML is dropped, the rest goes through an allow-list, links keep
 * to http, https and mailto, and no image is loaded but our own files: an address of a picture is how a tricked agent would
 * carry data out.
 */
const REMARK = [remarkGfm];
const REHYPE = [
  rehypeSanitize,
  [
    harden,
    {
      defaultOrigin: location.origin,
      allowedLinkPrefixes: ["*"],
      allowedImagePrefixes: [`${location.origin}/f/`],
      allowDataImages: false,
    },
  ],
] as never[];

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

const Block = memo(function Block({ text }: { text: string }) {
  const plugins = useHighlighting(text.includes("```"));
  return (
    <ReactMarkdown remarkPlugins={REMARK} rehypePlugins={plugins} components={COMPONENTS} skipHtml>
      {text}
    </ReactMarkdown>
  );
});

type Plugins = typeof REHYPE;
let highlighting: Promise<Plugins> | null = null;
let highlighted: Plugins | null = null;

/** Colours for code are loaded with the first code; they come after the allow-list and add nothing but classes. */
function useHighlighting(isWanted: boolean): Plugins {
  const [plugins, setPlugins] = useState(highlighted);
  useEffect(() => {
    if (!isWanted || plugins) return;
    highlighting ??= import("rehype-highlight").then(({ default: highlight }) => {
      highlighted = [...REHYPE, [highlight, { detect: false }]] as Plugins;
      return highlighted;
    });
    highlighting.then(setPlugins, console.warn);
  }, [isWanted, plugins]);
  return plugins ?? REHYPE;
}

/** Only the block that grew is parsed again; half a word of markup at the end is completed while it grows. */
export const Markdown = memo(function Markdown({ text, isGrowing = false }: { text: string; isGrowing?: boolean }) {
  const blocks = useMemo(
    () => marked.lexer(isGrowing ? remend(text) : text).map((token) => token.raw),
    [text, isGrowing],
  );
  return (
    <div className={css.markdown} data-growing={isGrowing || undefined}>
      {blocks.map((block, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a block's place is what it is
        <Block key={index} text={block} />
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
