import { Button } from "@mantine/core";
import { CloudOff } from "lucide-react";
import { useEffect, useState } from "react";
import { t } from "../text/text";
import { useNow, useSelect, useStore } from "../ui/hooks";
import css from "./banner.module.css";

const BACK_FOR = 2_000; // milliseconds "Connected" stays
const PATIENCE = 1_500; // milliseconds before anybody hears of it: most restarts are shorter

/** Says that the stream is away, when it comes back, and that it is back. */
export function Banner() {
  const store = useStore();
  const link = useSelect((state) => state.link);
  const isConnected = link.state === "connected";
  const [shown, setShown] = useState<"no" | "away" | "back">("no");
  const now = useNow(500);
  useEffect(() => {
    if (!isConnected) {
      const timer = setTimeout(() => setShown("away"), PATIENCE);
      return () => clearTimeout(timer);
    }
    setShown((before) => (before === "away" ? "back" : "no"));
    const timer = setTimeout(() => setShown("no"), BACK_FOR);
    return () => clearTimeout(timer);
  }, [isConnected]);
  if (shown === "no") return <div role="status" className="sr" />;
  if (shown === "back") {
    return (
      <div role="status" className={css.strip} data-back>
        {t("link.back")}
      </div>
    );
  }
  const left = link.state === "away" ? Math.max(1, Math.ceil((link.retryAt - now) / 1000)) : 0;
  return (
    <div role="status" className={css.strip}>
      <CloudOff size={15} aria-hidden />
      <span>{left > 0 ? t("link.away", { n: left }) : t("link.trying")}</span>
      <Button variant="subtle" size="compact-sm" onClick={() => store.retryNow()} className={css.now ?? ""}>
        {t("link.now")}
      </Button>
    </div>
  );
}
