import { type AnyRouter, useRouter } from "@tanstack/react-router";
import { useEffect } from "react";
import type { TabKeeper } from "../state/tab-keeper";
import { t } from "../text/text";
import { useLatest } from "../ui/hooks";
import { IS_MAC } from "../ui/keys";
import { useMenu } from "../ui/menus";
import { copy } from "./copy";

/**
 * Links to pages of the client open as those of a browser do: a plain click where one is, the middle button or a click
 * with Ctrl (⌘) in a tab behind, with Shift too in one that is seen. The right button asks which.
 */
export function useTabLinks(tabs: TabKeeper, hasTabs: boolean): void {
  const menu = useMenu();
  const router = useRouter();
  const onClick = useLatest((event: MouseEvent) => {
    const isMiddle = event.type === "auxclick" && event.button === 1;
    const isApart = event.type === "click" && (IS_MAC ? event.metaKey : event.ctrlKey) && !event.altKey;
    if (!isMiddle && !isApart) return;
    const found = linkOf(event, router);
    if (!found) return;
    event.preventDefault();
    tabs.open(found.href, !event.shiftKey);
  });
  const onMenu = useLatest((event: MouseEvent) => {
    const found = event.shiftKey ? undefined : linkOf(event, router);
    if (!found) return;
    event.preventDefault();
    const { link, href } = found;
    const point = event.button === 2 ? { x: event.clientX, y: event.clientY } : undefined;
    menu(
      link,
      [
        { label: t("tabs.openIn"), act: () => tabs.open(href, false) },
        { label: t("tabs.openBehind"), act: () => tabs.open(href, true) },
        { label: t("tabs.openWindow"), act: () => void window.open(href, "_blank", "noopener") },
        "line",
        { label: t("topic.copyLink"), act: () => copy(new URL(href, location.href).href) },
      ],
      { point },
    );
  });
  useEffect(() => {
    if (!hasTabs) return;
    document.addEventListener("click", onClick);
    document.addEventListener("auxclick", onClick);
    document.addEventListener("contextmenu", onMenu);
    return () => {
      document.removeEventListener("click", onClick);
      document.removeEventListener("auxclick", onClick);
      document.removeEventListener("contextmenu", onMenu);
    };
  }, [hasTabs, onClick, onMenu]);
}

/** The link that was meant, with path and search of the page of the client it leads to; none where something else took it. */
function linkOf(event: MouseEvent, router: AnyRouter): { link: HTMLAnchorElement; href: string } | undefined {
  const link = event.target instanceof Element ? event.target.closest<HTMLAnchorElement>("a[href]") : null;
  if (!link || event.defaultPrevented || link.origin !== location.origin) return undefined;
  const [, , page] = router.getMatchedRoutes(link.pathname);
  const isPage = page !== undefined && !link.target && !link.hasAttribute("download");
  return isPage ? { link, href: link.pathname + link.search } : undefined;
}
