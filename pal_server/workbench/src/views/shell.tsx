import { Outlet, useRouterState, useSearch } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import { t } from "../text/text";
import { Boundary } from "../ui/boundary";
import { PHONE, useKept, useMedia } from "../ui/hooks";
import { Menus } from "../ui/menus";
import { Tips } from "../ui/tips";
import { Banner } from "./banner";
import { BottomBar } from "./bottom-bar";
import { useKeys } from "./keys";
import { NewBuild } from "./new-build";
import { useNotifications } from "./notifications";
import css from "./shell.module.css";
import { Sidebar } from "./sidebar";
import { tellFailure } from "./tell";

const Palette = lazy(() => import("./palette"));
const KeysHelp = lazy(() => import("./keys-help"));
const RunPanel = lazy(() => import("./run-panel"));

/** The regions every screen has, and what lies over them. */
export function Shell() {
  const { run } = useSearch({ strict: false });
  const path = useRouterState({ select: (state) => state.location.pathname });
  const isPhone = useMedia(PHONE);
  const isNarrow = useMedia("(max-width: 1119px)");
  const isWide = useMedia("(min-width: 1500px)");
  const [isFolded, setFolded] = useKept("rail", false);
  const [over, setOver] = useState<"palette" | "keys" | null>(null);
  const isPanelOpen = run !== undefined && !/^\/runs\/\d/.test(path);
  const isRail = isFolded || isNarrow || (isPanelOpen && !isWide);
  useKeys({
    openPalette: () => setOver("palette"),
    openHelp: () => setOver("keys"),
    toggleRail: () => setFolded(!isFolded),
  });
  useNotifications();
  return (
    <Menus onFailure={tellFailure}>
      <div className={css.shell} data-rail={isRail || undefined} data-phone={isPhone || undefined}>
        <a className={css.skip} href="#main">
          {t("app.skip")}
        </a>
        {!isPhone && (
          <Sidebar isRail={isRail} onFold={() => setFolded(!isFolded)} onSearch={() => setOver("palette")} />
        )}
        <div className={css.stage}>
          <div className={css.strips}>
            <Banner />
            <NewBuild />
          </div>
          <div className={css.panes}>
            <main id="main" className={css.main} tabIndex={-1}>
              <Boundary key={path}>
                <Suspense fallback={null}>
                  <Outlet />
                </Suspense>
              </Boundary>
            </main>
            {isPanelOpen && run !== undefined && (
              <Boundary key={`run ${run}`}>
                <Suspense fallback={null}>
                  <RunPanel id={run} />
                </Suspense>
              </Boundary>
            )}
          </div>
        </div>
        {isPhone && <BottomBar onSearch={() => setOver("palette")} />}
        <Tips />
        <Suspense fallback={null}>
          {over === "palette" && <Palette onClose={() => setOver(null)} onHelp={() => setOver("keys")} />}
          {over === "keys" && <KeysHelp onClose={() => setOver(null)} />}
        </Suspense>
      </div>
    </Menus>
  );
}
