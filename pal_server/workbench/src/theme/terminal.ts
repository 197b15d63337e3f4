import type { ITheme } from "@xterm/xterm";

/*
 * The sixteen colours of a terminal on the grounds of tokens.css. A terminal draws on a canvas of its own, so it is given
 * values and not the variables; each reads at 4.5:1 or more on its ground.
 */
export const LIGHT: ITheme = {
  background: "#ffffff",
  foreground: "#1d1b17",
  cursor: "#1d1b17",
  cursorAccent: "#ffffff",
  selectionBackground: "#cfdcfb",
  black: "#1d1b17",
  red: "#ad2119",
  green: "#1a673b",
  yellow: "#854a00",
  blue: "#1d4fd0",
  magenta: "#8a2a86",
  cyan: "#0d6472",
  white: "#6b655a",
  brightBlack: "#6b655a",
  brightRed: "#b8271e",
  brightGreen: "#1c7040",
  brightYellow: "#8a5200",
  brightBlue: "#2457d6",
  brightMagenta: "#96358f",
  brightCyan: "#116c7b",
  brightWhite: "#4f4a42",
};

export const DARK: ITheme = {
  background: "#151310",
  foreground: "#f1eee8",
  cursor: "#f1eee8",
  cursorAccent: "#151310",
  selectionBackground: "#33405c",
  black: "#8b8477",
  red: "#ffa096",
  green: "#7fd6a0",
  yellow: "#f7c06b",
  blue: "#93b7ff",
  magenta: "#e3a5e0",
  cyan: "#83d3e0",
  white: "#c4beb3",
  brightBlack: "#a09a8e",
  brightRed: "#ffb5ad",
  brightGreen: "#9ae2b5",
  brightYellow: "#fbd08c",
  brightBlue: "#b0caff",
  brightMagenta: "#ecbfea",
  brightCyan: "#a3e0ea",
  brightWhite: "#f1eee8",
};
