import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { useEffect, useMemo, useState } from "react";
import type { makeRouter } from "./routes";
import { Store } from "./state/store";
import { currentLanguage, type Language, setLanguage } from "./text/text";
import { theme, variables } from "./theme/mantine";
import { keepScheme } from "./theme/scheme";
import { StoreContext, useMedia, useSelect } from "./ui/hooks";
import { later } from "./ui/later";
import { TabsContext } from "./ui/tabs";
import { whenTold } from "./views/tell";
import type { Snapshot } from "./wire/contract";

const Notifications = later(() => import("@mantine/notifications").then((found) => found.Notifications), console.warn);

const nonce = document.querySelector<HTMLMetaElement>('meta[name="style-nonce"]')?.content ?? "";
const queries = new QueryClient({
  defaultOptions: { queries: { retry: 1, staleTime: 5_000, refetchOnWindowFocus: true } },
});

type Made = ReturnType<typeof makeRouter>;

interface Props extends Made {
  snapshot: Snapshot;
  onRevoked: () => void;
}

/** Everything above the views: the state, the addresses, how things look. */
export function App({ snapshot, router, tabs, onRevoked }: Props) {
  const store = useMemo(() => new Store(snapshot, onRevoked), [snapshot, onRevoked]);
  useEffect(() => store.start(), [store]);
  return (
    <StoreContext value={store}>
      <QueryClientProvider client={queries}>
        <Look router={router} tabs={tabs} />
      </QueryClientProvider>
    </StoreContext>
  );
}

/** Another language comes when its texts are here. */
function useLanguage(wanted: "system" | Language): Language {
  const [language, setShown] = useState(currentLanguage);
  useEffect(() => {
    setLanguage(wanted).then(setShown, console.warn);
  }, [wanted]);
  return language;
}

/** Where people are told what came of what they did; it is there with the first of that. */
function Told() {
  const [count, setCount] = useState(0);
  useEffect(() => whenTold(() => setCount((before) => before + 1)), []);
  return count > 0 && <Notifications position="bottom-right" autoClose={5000} limit={3} />;
}

function Look({ router, tabs }: Made) {
  const preferences = useSelect((state) => state.desk.preferences);
  const isDark = useMedia("(prefers-color-scheme: dark)");
  const language = useLanguage(preferences.language);
  const scheme = preferences.theme === "system" ? (isDark ? "dark" : "light") : preferences.theme;
  useEffect(() => {
    document.documentElement.style.setProperty("--text-size", `${preferences.font_size}px`);
  }, [preferences.font_size]);
  useEffect(() => keepScheme(preferences.theme), [preferences.theme]);
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={variables}
      forceColorScheme={scheme}
      getStyleNonce={() => nonce}
    >
      <Told />
      <TabsContext value={tabs}>
        <RouterProvider key={language} router={router} />
      </TabsContext>
    </MantineProvider>
  );
}
