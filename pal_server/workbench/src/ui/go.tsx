import { useRouter } from "@tanstack/react-router";
import type { AnchorHTMLAttributes, MouseEvent } from "react";

interface Props extends AnchorHTMLAttributes<HTMLAnchorElement> {
  /** An address of the client, encoded. */
  to: string;
  [data: `data-${string}`]: string | boolean | undefined;
}

/** A link of a row. The router's own one looks at each change of the address, which a list of many cannot afford. */
export function Go({ to, children, ...rest }: Props) {
  const router = useRouter();
  const follow = (event: MouseEvent) => {
    const isOwn = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
    if (!isOwn || event.defaultPrevented) return;
    event.preventDefault();
    router.history.push(to);
  };
  return (
    <a {...rest} href={to} onClick={follow}>
      {children}
    </a>
  );
}
