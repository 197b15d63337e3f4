import { Button } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import { t } from "../text/text";
import { useSelect } from "../ui/hooks";
import { hasNewBuild } from "../wire/build";
import css from "./banner.module.css";

/** Says that the server has a newer client. It is asked when the stream comes back: a server that was updated was away. */
export function NewBuild() {
  const isConnected = useSelect((state) => state.link.state) === "connected";
  const wasConnected = useRef(false);
  const [isNew, setNew] = useState(false);
  useEffect(() => {
    if (!isConnected) return;
    if (wasConnected.current) void hasNewBuild().then((is) => is && setNew(true));
    wasConnected.current = true;
  }, [isConnected]);
  useEffect(() => {
    const gone = () => void hasNewBuild().then((is) => is && setNew(true)); // a part did not come
    window.addEventListener("vite:preloadError", gone);
    return () => window.removeEventListener("vite:preloadError", gone);
  }, []);
  if (!isNew) return null;
  return (
    <div role="status" className={css.strip} data-build>
      <span>{t("build.new")}</span>
      <Button variant="subtle" size="compact-sm" onClick={() => location.reload()} className={css.now ?? ""}>
        {t("build.reload")}
      </Button>
    </div>
  );
}
