import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { t } from "../text/text";
import { useTabKeeper, useTabs } from "../ui/tabs";

/** Instead of a page that there is not; `isGone`: its address is a right one, but what it is about is not here. */
export function Missing({ isGone = false }: { isGone?: boolean }) {
  const keeper = useTabKeeper();
  const { open, active } = useTabs();
  return (
    <div style={{ display: "grid", placeContent: "center", height: "100%", gap: 8, justifyItems: "center" }}>
      <h1 style={{ fontSize: 15, margin: 0 }}>{t(isGone ? "app.gone" : "app.notFound")}</h1>
      {open.length > 1 && <Button onClick={() => keeper.close(active)}>{t("tabs.closeThis")}</Button>}
      <Link to="/needs">{t("nav.needs")}</Link>
    </div>
  );
}
