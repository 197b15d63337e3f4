import { en, type TextKey } from "./en";

export type { TextKey };
export type Language = "en" | "zh";
type Given = Readonly<Record<string, string | number>>;

const catalogues: Partial<Record<Language, Readonly<Record<TextKey, string>>>> = { en };
let language: Language = "en";

/** The language somebody wants, once its texts are here; those of English come with the client. */
export async function setLanguage(wanted: "system" | Language): Promise<Language> {
  const chosen = wanted === "system" ? (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en") : wanted;
  if (chosen === "zh") catalogues.zh ??= (await import("./zh")).zh;
  language = chosen;
  document.documentElement.lang = chosen;
  return chosen;
}

export function currentLanguage(): Language {
  return language;
}

/** A text of the catalogue in the person's language. */
export function t(key: TextKey, given: Given = {}): string {
  const text = (catalogues[language] ?? en)[key];
  const [one, many] = text.split("|") as [string, string?];
  const chosen = many !== undefined && given.n !== 1 ? many : one;
  return chosen.replace(/\{(\w+)\}/g, (whole, name: string) => String(given[name] ?? whole));
}

const FORMATS = {
  weekday: { weekday: "short" },
  date: { day: "numeric", month: "short" },
  clock: { hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
  seconds: { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" },
  moment: { dateStyle: "medium", timeStyle: "short" },
  day: { weekday: "long", day: "numeric", month: "long" },
} as const satisfies Record<string, Intl.DateTimeFormatOptions>;
const made = new Map<string, Intl.DateTimeFormat>();

/** A moment in words. What knows how is kept: to make it costs a hundred times what using it does. */
function told(at: number, name: keyof typeof FORMATS): string {
  const key = `${language} ${name}`;
  const known = made.get(key) ?? new Intl.DateTimeFormat(language, FORMATS[name]);
  made.set(key, known);
  return known.format(at);
}

/** How long ago or how long: "now", "3 min", "2 h", then the day. */
export function ago(at: number, now: number): string {
  const seconds = Math.max(0, (now - at) / 1000);
  if (seconds < 45) return t("time.now");
  if (seconds < 3600) return t("time.min", { n: Math.max(1, Math.round(seconds / 60)) });
  if (seconds < 20 * 3600) return t("time.h", { n: Math.round(seconds / 3600) });
  return told(at, seconds < 6 * 86400 ? "weekday" : "date");
}

export function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 60) return t("time.s", { n: seconds });
  const rest = String(seconds % 60).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${rest}`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${rest}`;
}

export function clock(at: number): string {
  return told(at, "clock");
}

export function clockSeconds(at: number): string {
  return told(at, "seconds");
}

export function dateTime(at: number): string {
  return told(at, "moment");
}

export function day(at: number, now: number): string {
  const distance = Math.round((new Date(now).setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / 86_400_000);
  if (distance === 0) return t("time.today");
  if (distance === 1) return t("time.yesterday");
  return told(at, "day");
}

export function count(value: number): string {
  if (value < 10_000) return new Intl.NumberFormat(language).format(value);
  return new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 0 }).format(value);
}

export function money(value: number): string {
  return `$${value.toFixed(value !== 0 && value < 0.01 ? 4 : 2)}`;
}
