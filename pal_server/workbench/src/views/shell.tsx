import { Outlet, useRouterState, useSearch } from "@tanstack/react-router";
import { Suspense, useEffect, useState } from "react";
import { t } from "../text/text";
import { Boundary } from "../ui/boundary";
import { onFirstTouch } from "../ui/first-touch";
import { PHONE, useKept, useMedia } from "../ui/hooks";
import { later } from "../ui/later";
import { Menus } from "../ui/menus";
import { useTabKeeper, useTabs } from "../ui/tabs";
import { Tips } from "../ui/tips";
import { Banner } from "./banner";
import { BottomBar } from "./bottom-bar";
import { useKeys } from "./keys";
import { NewBuild } from "./new-build";
import { useNotifications } from "./notifications";
import css from "./shell.module.css";
import { Sidebar } from "./sidebar";
import { useTabLinks } from "./tab-links";
import { tellFailure } from "./tell";

// What stands outside of the panes has no place to say that it did not come: the rest must not go with it.
const close = (error: Error, { onClose }: { onClose: () => void }) => {
  onClose();
  tellFailure(error);
};
const Palette = later(() => import("./palette").then((found) => found.default), close);
const KeysHelp = later(() => import("./keys-help").then((found) => found.default), close);
const TabStrip = later(() => import("./tab-strip").then((found) => found.TabStrip), console.warn);
const RunPanel = later(() => import("./run-panel").then((found) => found.default));

const SIDEBAR = 232; // pixels

/** Who begins to act has it at hand soon, and still has it when the server goes away. */
const loadWhatFloats = () => {
  const parts = [import("../ui/menu"), import("../ui/tip"), import("./dialog"), import("@mantine/notifications")];
  Promise.all(parts).catch(console.warn);
};

/** The regions every screen has, and what lies over them. */
export function Shell() {
  return (
    <Menus onFailure={tellFailure}>
      <Regions />
    </Menus>
  );
}

function Regions() {
  const { run } = useSearch({ strict: false });
  const path = useRouterState({ select: (state) => state.location.pathname });
  // Not the path: until what it needs is there, the page before stays, and is not made again.
  const page = useRouterState({ select: (state) => state.matches.at(-1)?.pathname });
  const isPhone = useMedia(PHONE);
  const isNarrow = useMedia("(max-width: 1119px)");
  const isWide = useMedia("(min-width: 1500px)");
  const [isFolded, setFolded] = useKept("rail", false);
  const [width, setWidth] = useKept("sidebar", SIDEBAR);
  const [over, setOver] = useState<"palette" | "keys" | null>(null);
  const isPanelOpen = run !== undefined && !/^\/runs\/\d/.test(path);
  const isRail = isFolded || isNarrow || (isPanelOpen && !isWide);
  useKeys({
    openPalette: () => setOver("palette"),
    openHelp: () => setOver("keys"),
    toggleRail: () => setFolded(!isFolded),
  });
  useNotifications();
  useEffect(() => onFirstTouch(loadWhatFloats), []);
  const tabs = useTabs();
  useTabLinks(useTabKeeper(), !isPhone);
  const hasStrip = !isPhone && (tabs.open.length > 1 || tabs.open.some((one) => one.isPinned));
  return (
    <div
      className={css.shell}
      style={{ "--sidebar": `${width}px` } as React.CSSProperties}
      data-rail={isRail || undefined}
      data-phone={isPhone || undefined}
    >
      <a className={css.skip} href="#main">
        {t("app.skip")}
      </a>
      {!isPhone && (
        <Sidebar
          isRail={isRail}
          width={width}
          onWidth={setWidth}
          onFold={() => setFolded(!isFolded)}
          onSearch={() => setOver("palette")}
        />
      )}
      <div className={css.stage} data-tabs={hasStrip || undefined}>
        {hasStrip && <TabStrip />}
        <div className={css.strips}>
          <Banner />
          <NewBuild />
        </div>
        <div className={css.panes}>
          <main id="main" className={css.main} tabIndex={-1}>
            <Boundary key={page}>
              <Suspense fallback={null}>
                <Outlet />
              </Suspense>
            </Boundary>
          </main>
          {isPanelOpen && run !== undefined && (
            <Boundary key={`run ${run}`}>
              <RunPanel id={run} />
            </Boundary>
          )}
        </div>
      </div>
      {isPhone && <BottomBar onSearch={() => setOver("palette")} />}
      <Tips />
      {over === "palette" && <Palette onClose={() => setOver(null)} onHelp={() => setOver("keys")} />}
      {over === "keys" && <KeysHelp onClose={() => setOver(null)} />}
    </div>
  );
}
