import "./theme/styles.css";
import { startTransition } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app";
import { makeRouter } from "./routes";
import { setLanguage, t } from "./text/text";
import { Refused, request, whenLoggedOut } from "./wire/request";

/** Where the server shows its log-in page; afterwards it comes back to this address. */
function logIn(): void {
  sessionStorage.setItem("pal.next", location.pathname + location.search);
  location.assign("/login");
}

let made: ReturnType<typeof makeRouter> | null = null;
const root = createRoot(document.getElementById("root") as HTMLElement);

/** In a task of its own: the one that runs now has begun all modules. */
async function route(): Promise<ReturnType<typeof makeRouter>> {
  await new Promise((next) => setTimeout(next));
  made ??= makeRouter();
  await made.router.load();
  return made;
}

async function begin(): Promise<void> {
  whenLoggedOut(logIn);
  try {
    // What the address needs is loaded while the snapshot comes; with it there, the first drawing is whole.
    const [{ snapshot }, { router, tabs }] = await Promise.all([request("GET /api/snapshot"), route()]);
    if (tabs.belongTo(snapshot.me.name)) await router.load();
    await setLanguage(snapshot.preferences.language);
    // As a transition it is drawn in slices, so a person who touches something meanwhile does not wait for all of it.
    startTransition(() => root.render(<App snapshot={snapshot} router={router} tabs={tabs} onRevoked={logIn} />));
  } catch (error) {
    if (error instanceof Refused && error.status === 401) return;
    await setLanguage("system").catch(console.warn); // whose page it is nobody knows yet
    const said = error instanceof Error ? error.message : String(error);
    root.render(
      <main
        style={{
          display: "grid",
          placeContent: "center",
          justifyItems: "center",
          gap: 12,
          height: "100%",
          fontSize: 15,
        }}
      >
        <p role="alert">{said}</p>
        <button type="button" onClick={() => void begin()}>
          {t("app.tryAgain")}
        </button>
      </main>,
    );
    if (error instanceof Refused && error.isPassing) setTimeout(() => void begin(), 3000);
  }
}

void begin();
