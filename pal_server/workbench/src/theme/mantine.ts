import {
  ActionIcon,
  Button,
  type CSSVariablesResolver,
  createTheme,
  type MenuProps,
  type ModalProps,
  type TooltipProps,
} from "@mantine/core";

/**
 * The component library in our tokens: ink on paper, lines instead of shadows. Looks are changed here, not per use. Menus,
 * dialogs and tips are named, not imported: they come when the first of them is shown.
 */
export const theme = createTheme({
  fontFamily: "var(--sans)",
  fontFamilyMonospace: "var(--mono)",
  primaryColor: "dark",
  defaultRadius: 8,
  cursorType: "pointer",
  focusRing: "auto",
  respectReducedMotion: true,
  components: {
    Button: Button.extend({
      defaultProps: { variant: "default", size: "sm", fw: 600 },
      vars: (_, props) => {
        const isMain = props.variant === "filled";
        const isQuiet = props.variant === "subtle";
        return {
          root: {
            "--button-height": "30px",
            "--button-padding-x": "12px",
            "--button-fz": "13px",
            "--button-bg": isMain ? "var(--ink)" : isQuiet ? "transparent" : "var(--raised)",
            "--button-hover": isMain ? "var(--text-2)" : "var(--hover)",
            "--button-color": isMain ? "var(--paper)" : "var(--text)",
            "--button-bd": isMain || isQuiet ? "1px solid transparent" : "1px solid var(--line)",
          },
        };
      },
    }),
    ActionIcon: ActionIcon.extend({
      defaultProps: { variant: "subtle", size: 30 },
      vars: () => ({
        root: {
          "--ai-bg": "transparent",
          "--ai-hover": "var(--hover)",
          "--ai-color": "var(--text)",
          "--ai-hover-color": "var(--text)",
        },
      }),
    }),
    Menu: {
      defaultProps: {
        shadow: "md",
        radius: 12,
        width: 230,
        position: "bottom-end",
        withinPortal: true,
      } satisfies Partial<MenuProps>,
    },
    Modal: {
      defaultProps: {
        radius: 12,
        centered: true,
        lockScroll: false, // the page itself never scrolls
        overlayProps: { backgroundOpacity: 0.45, blur: 2 },
      } satisfies Partial<ModalProps>,
    },
    Tooltip: { defaultProps: { withArrow: false, radius: 6 } satisfies Partial<TooltipProps> },
  },
});

/** What the library draws with, from our tokens; each has its light and dark value by itself. */
export const variables: CSSVariablesResolver = () => {
  const both = {
    "--mantine-color-body": "var(--surface)",
    "--mantine-color-text": "var(--text)",
    "--mantine-color-dimmed": "var(--text-3)",
    "--mantine-color-default": "var(--raised)",
    "--mantine-color-default-hover": "var(--hover)",
    "--mantine-color-default-color": "var(--text)",
    "--mantine-color-default-border": "var(--line)",
    "--mantine-color-placeholder": "var(--text-3)",
    "--mantine-color-anchor": "var(--link)",
    "--mantine-color-error": "var(--bad)",
    "--mantine-primary-color-filled": "var(--ink)",
    "--mantine-primary-color-filled-hover": "var(--text-2)",
    "--mantine-primary-color-contrast": "var(--paper)",
    "--mantine-color-dark-outline": "var(--focus)",
    "--mantine-shadow-md": "var(--shadow-2)",
    "--mantine-shadow-xl": "var(--shadow-2)",
  };
  return { variables: { "--mantine-font-size-sm": "13px", "--mantine-font-size-md": "14px" }, light: both, dark: both };
};
