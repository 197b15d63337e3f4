import "@xterm/xterm/css/xterm.css";
import { FitAddon } from "@xterm/addon-fit";
import { SearchAddon } from "@xterm/addon-search";
import { WebLinksAddon } from "@xterm/addon-web-links";
import { Terminal as Xterm } from "@xterm/xterm";
import { Search, X } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { ignorePassing } from "../state/store";
import { bytesOf, ROW, type RowKey, webAddress, withCtrl } from "../state/terminal-keys";
import { t } from "../text/text";
import { DARK, LIGHT } from "../theme/terminal";
import { PHONE, useIsDark, useKept, useMedia } from "../ui/hooks";
import { openSocket, TerminalLine } from "../wire/terminal-line";
import { confirm } from "./dialogs";
import css from "./terminal.module.css";
import type { Standing } from "./terminal-page";

interface Props {
  id: string;
  onStanding: (change: Partial<Standing>) => void;
}

const KEPT = 10_000; // lines above the screen
const SETTLES = 120; // milliseconds without another size of the pane before the terminal gets it

/** What a terminal shows and, for who may, what is typed into it. What it prints acts on nothing but this screen. */
export function TerminalScreen({ id, onStanding }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const held = useRef<Held | null>(null);
  const isDark = useIsDark();
  const isPhone = useMedia(PHONE);
  const [isRead, setRead] = useKept("terminal.reader", 1);
  const [isCtrl, setCtrl] = useState(false);
  const [isFinding, setFinding] = useState(false);
  const ctrl = useRef(false);
  ctrl.current = isCtrl;

  // biome-ignore lint/correctness/useExhaustiveDependencies: the terminal's id makes another screen, nothing else does
  useEffect(() => {
    if (!box.current) return;
    const made = begin(id, box.current, {
      isDark,
      isRead: isRead === 1,
      onStanding,
      typed: (text) => {
        if (!ctrl.current) return text;
        setCtrl(false);
        return withCtrl(text);
      },
      onFind: () => setFinding(true),
    });
    held.current = made;
    return () => {
      held.current = null;
      made.end();
    };
  }, [id]);
  useEffect(() => {
    if (held.current) held.current.term.options.theme = isDark ? DARK : LIGHT;
  }, [isDark]);
  useEffect(() => {
    if (held.current) held.current.term.options.screenReaderMode = isRead === 1;
  }, [isRead]);

  const press = (key: RowKey) => {
    const screen = held.current;
    if (!screen) return;
    if (key === "Ctrl") setCtrl(!isCtrl);
    else {
      screen.type(bytesOf(key, { isCtrl, isApplication: screen.term.modes.applicationCursorKeysMode }));
      setCtrl(false);
    }
    screen.term.focus();
  };

  return (
    <div className={css.screen}>
      {isFinding && (
        <Find
          onFind={(words, isBack) =>
            isBack ? held.current?.search.findPrevious(words) : held.current?.search.findNext(words)
          }
          onClose={() => {
            setFinding(false);
            held.current?.search.clearDecorations();
            held.current?.term.focus();
          }}
        />
      )}
      <div ref={box} className={css.xterm} data-terminal={id} />
      <div className={css.below}>
        {isPhone && (
          <div className={css.row} role="toolbar" aria-label={t("terminal.keys")}>
            {ROW.map((key) => (
              <button
                key={key}
                type="button"
                aria-pressed={key === "Ctrl" ? isCtrl : undefined}
                onPointerDown={(event) => event.preventDefault()}
                onClick={() => press(key)}
              >
                {key}
              </button>
            ))}
          </div>
        )}
        {!isPhone && (
          <p className={css.hint}>
            {t("terminal.leaveHint")}
            <label>
              <input type="checkbox" checked={isRead === 1} onChange={() => setRead(isRead === 1 ? 0 : 1)} />
              {t("terminal.reader")}
            </label>
          </p>
        )}
      </div>
    </div>
  );
}

interface Held {
  term: Xterm;
  search: SearchAddon;
  type: (text: string) => void;
  end: () => void;
}

interface Given {
  isDark: boolean;
  isRead: boolean;
  onStanding: (change: Partial<Standing>) => void;
  typed: (text: string) => string;
  onFind: () => void;
}

/** A screen in the box, connected with its terminal until `end`. */
function begin(id: string, box: HTMLElement, given: Given): Held {
  const open = (text: string) => {
    const address = webAddress(text);
    if (address === null) return;
    void confirm({ title: t("terminal.link"), text: address, confirm: t("terminal.openNow") }).then((isSure) => {
      if (isSure) window.open(address, "_blank", "noopener,noreferrer");
    });
  };
  const opened = (event: MouseEvent, text: string) => {
    if (event.ctrlKey || event.metaKey) open(text);
  };
  const term = new Xterm({
    fontFamily: '"JetBrains Mono Variable", ui-monospace, monospace',
    fontSize: 12.5,
    lineHeight: 1.25,
    cursorBlink: !matchMedia("(prefers-reduced-motion: reduce)").matches,
    minimumContrastRatio: 4.5,
    screenReaderMode: given.isRead,
    scrollback: KEPT,
    theme: given.isDark ? DARK : LIGHT,
    // Nothing a program prints moves the window, sets a title or asks for one.
    windowOptions: {},
    linkHandler: { activate: opened, allowNonHttpProtocols: false },
  });
  const fit = new FitAddon();
  const search = new SearchAddon();
  term.loadAddon(fit);
  term.loadAddon(search);
  term.loadAddon(new WebLinksAddon(opened));
  withNonce(() => term.open(box));

  let mayType: boolean | null = null; // nobody has said yet: what is typed waits
  let hasTyped = false; // since the last hello: only then are a program's questions answered, and by one screen
  let waiting = 0; // characters that the line has not passed on
  const line = new TerminalLine(id, openSocket, {
    hello: (hello) => {
      mayType = hello.mayType;
      hasTyped = waiting > 0;
      if (hello.isNew) term.reset();
      term.options.disableStdin = !mayType;
      term.resize(hello.cols, hello.rows);
      given.onStanding({ mayType, state: hello.terminal.state, reason: hello.terminal.reason ?? "", retryAt: null });
      fitLater();
    },
    output: (bytes) => term.write(bytes),
    size: (cols, rows) => term.resize(cols, rows),
    state: (state, reason) => given.onStanding({ state: state as Standing["state"], reason }),
    closed: (reason, exit) => {
      mayType = null;
      term.options.disableStdin = true;
      given.onStanding({ mayType: false, state: "closed", reason, exit, retryAt: null });
    },
    away: (retryAt) => given.onStanding({ retryAt }),
    waits: (count) => {
      waiting = count;
      given.onStanding({ waiting });
    },
    dropped: () => given.onStanding({ reason: t(mayType ? "terminal.notKept" : "terminal.readOnly") }),
  });
  const type = (text: string) => {
    if (mayType === false || text === "") return;
    hasTyped = true;
    line.type(text);
  };
  const isUsed = () => document.hasFocus() && box.contains(document.activeElement);
  silenceQuestions(term, () => mayType === true && hasTyped && isUsed());
  term.onData((text) => type(given.typed(text)));
  term.onBinary((text) => type(text));
  term.attachCustomKeyEventHandler((event) => {
    if (event.type !== "keydown") return true;
    if (event.ctrlKey && event.shiftKey && event.key === "Escape") {
      term.blur();
      document.querySelector<HTMLElement>("[data-terminal-bar] button, [data-terminal-bar] a")?.focus();
      return false;
    }
    if (event.ctrlKey && event.shiftKey && event.key.toLowerCase() === "f") {
      event.preventDefault();
      given.onFind();
      return false;
    }
    if (mayType === false && event.key.length === 1) given.onStanding({ reason: t("terminal.readOnly") });
    return event.key !== "F6"; // to the next region, as everywhere
  });
  const copied = () => {
    // A browser may refuse it; its own keys for copying are there all the same.
    if (term.hasSelection()) navigator.clipboard?.writeText(term.getSelection()).catch(ignorePassing);
  };
  box.addEventListener("mouseup", copied);

  let timer: ReturnType<typeof setTimeout> | undefined;
  function fitLater() {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const wanted = fit.proposeDimensions();
      if (!mayType || !wanted || !Number.isFinite(wanted.cols) || wanted.cols < 2 || wanted.rows < 2) return;
      if (wanted.cols === term.cols && wanted.rows === term.rows) return;
      term.resize(wanted.cols, wanted.rows);
      line.resize(wanted.cols, wanted.rows);
    }, SETTLES);
  }
  const watcher = new ResizeObserver(fitLater);
  watcher.observe(box);
  line.start();
  const back = () => line.now();
  window.addEventListener("online", back);
  term.focus();
  return {
    term,
    search,
    type,
    end: () => {
      clearTimeout(timer);
      watcher.disconnect();
      window.removeEventListener("online", back);
      box.removeEventListener("mouseup", copied);
      line.stop();
      term.dispose();
    },
  };
}

/**
 * Programs ask a terminal what it is and where its cursor stands, and read the answer as if it were typed. Every screen
 * would answer, and what is shown again would be asked again: only the screen in which somebody types may answer.
 */
function silenceQuestions(term: Xterm, mayAnswer: () => boolean): void {
  const silent = () => !mayAnswer();
  for (const id of [
    { final: "c" },
    { prefix: ">", final: "c" },
    { prefix: "=", final: "c" },
    { prefix: ">", final: "q" },
    { final: "n" },
    { prefix: "?", final: "n" },
    { intermediates: "$", final: "p" },
    { prefix: "?", intermediates: "$", final: "p" },
  ])
    term.parser.registerCsiHandler(id, silent);
  term.parser.registerDcsHandler({ intermediates: "$", final: "q" }, silent);
  for (const number of [4, 10, 11, 12])
    term.parser.registerOscHandler(number, (data) => data.includes("?") && silent());
  // A title, an icon, the clipboard, a notification: what is printed has no business there.
  for (const number of [0, 1, 2, 9, 52, 777, 1337]) term.parser.registerOscHandler(number, () => true);
}

/**
 * xterm makes style elements while it is opened, some by the page's document whatever other one it is given; the page's
 * policy lets only those be that carry its nonce.
 */
function withNonce(act: () => void): void {
  const nonce = document.querySelector<HTMLMetaElement>('meta[name="style-nonce"]')?.content ?? "";
  const create = document.createElement.bind(document);
  const made = (kind: string, options?: ElementCreationOptions) => {
    const element = create(kind, options);
    if (element instanceof HTMLStyleElement) element.nonce = nonce;
    return element;
  };
  document.createElement = made as typeof document.createElement;
  try {
    act();
  } finally {
    Reflect.deleteProperty(document, "createElement"); // the prototype's own is there again
  }
}

function Find({ onFind, onClose }: { onFind: (words: string, isBack: boolean) => void; onClose: () => void }) {
  const [words, setWords] = useState("");
  return (
    <div className={css.find} role="search">
      <Search size={14} aria-hidden />
      <input
        // biome-ignore lint/a11y/noAutofocus: it was opened by a key to type into it
        autoFocus
        aria-label={t("terminal.find")}
        placeholder={t("terminal.find")}
        value={words}
        onChange={(event) => {
          setWords(event.currentTarget.value);
          onFind(event.currentTarget.value, false);
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter") onFind(words, event.shiftKey);
          if (event.key === "Escape") onClose();
        }}
      />
      <button type="button" aria-label={t("confirm.close")} onClick={onClose}>
        <X size={14} aria-hidden />
      </button>
    </div>
  );
}
