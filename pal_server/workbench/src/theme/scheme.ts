const COOKIE = "pal_scheme";
const A_YEAR = 31_536_000; // seconds

/** Tells the server what this person chose: it writes that into the next page, so already its first paint has these colours. */
export function keepScheme(chosen: "system" | "light" | "dark"): void {
  const age = chosen === "system" ? 0 : A_YEAR;
  // biome-ignore lint/suspicious/noDocumentCookie: the cookie store is only there over TLS, and answers later
  document.cookie = `${COOKIE}=${chosen}; Path=/; Max-Age=${age}; SameSite=Lax`;
}
