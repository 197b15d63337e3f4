import { type ReactNode, useRef } from "react";
import { useKeptScroll } from "../ui/kept-scroll";
import css from "./page.module.css";

interface Props {
  title: ReactNode;
  /** Beside the title, small. */
  note?: ReactNode;
  actions?: ReactNode;
  /** The content brings its own ground and scrolls by itself. */
  isPlain?: boolean;
  children: ReactNode;
}

/** A screen with one header and one column of content. */
export function Page({ title, note, actions, isPlain = false, children }: Props) {
  const content = useRef<HTMLDivElement>(null);
  useKeptScroll(content);
  return (
    <section className={css.page} data-region>
      <header className={css.head}>
        {typeof title === "string" ? <h1>{title}</h1> : title}
        {note && <small>{note}</small>}
        <span className={css.space} />
        {actions}
      </header>
      <div ref={content} className={css.content} data-plain={isPlain || undefined} tabIndex={isPlain ? undefined : 0}>
        {children}
      </div>
    </section>
  );
}
