import type { ButtonHTMLAttributes, ReactNode } from "react";
import css from "./icon-button.module.css";

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  label: string;
  children: ReactNode;
  [data: `data-${string}`]: string | number | boolean | undefined;
}

/** A small button of a row: there are hundreds of them, so it is nothing but a button. */
export function IconButton({ label, children, ...rest }: Props) {
  return (
    <button type="button" {...rest} className={css.button} aria-label={label} title={label}>
      {children}
    </button>
  );
}
