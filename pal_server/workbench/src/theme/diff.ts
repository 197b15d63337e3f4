/** Colours of code in diffs: GitHub's high contrast on our ground, its comments darker, so that all passes AA there. */
export const THEME = { light: "pal-light", dark: "pal-dark" } as const;

const GROUND = { light: "#ffffff", dark: "#1b1916" } as const; // --surface
const TEXT = { light: "#1d1b17", dark: "#f1eee8" } as const; // --text
const COMMENT = { light: "#50575f", dark: "#9ba3ad" } as const;

/** Loaded with the first diff. */
export async function loadTheme(kind: keyof typeof THEME) {
  const loaded =
    kind === "light"
      ? await import("@shikijs/themes/github-light-high-contrast")
      : await import("@shikijs/themes/github-dark-high-contrast");
  const theme = loaded.default;
  return {
    ...theme,
    name: THEME[kind],
    colors: { ...theme.colors, "editor.background": GROUND[kind], "editor.foreground": TEXT[kind] },
    tokenColors: [
      ...(theme.tokenColors ?? []),
      { scope: ["comment", "punctuation.definition.comment"], settings: { foreground: COMMENT[kind] } },
    ],
  };
}
