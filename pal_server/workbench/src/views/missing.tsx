import { Link } from "@tanstack/react-router";
import { t } from "../text/text";

export function Missing() {
  return (
    <div style={{ display: "grid", placeContent: "center", height: "100%", gap: 8, justifyItems: "center" }}>
      <h1 style={{ fontSize: 15, margin: 0 }}>{t("app.notFound")}</h1>
      <Link to="/needs">{t("nav.needs")}</Link>
    </div>
  );
}
