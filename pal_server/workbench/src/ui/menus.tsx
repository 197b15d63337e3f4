import {
  type ComponentType,
  createContext,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useRef,
  useState,
} from "react";
import type { MenuProps } from "./menu";

export type Choice =
  | { label: string; key?: string; act: () => void; before?: ReactNode; after?: ReactNode; isOff?: boolean }
  | { heading: string }
  | { note: ReactNode }
  | "line";

/** Where it opens at its button, and how wide it is in pixels. */
export interface Look {
  /** Where a pointer asked for it, in pixels of the window; else it opens at its button. */
  point?: { x: number; y: number } | undefined;
  position?: "bottom-start" | "bottom-end" | "top-end";
  width?: number;
}

type Open = (anchor: HTMLElement, choices: readonly (Choice | false)[], look?: Look) => void;

const MenuContext = createContext<Open>(() => {});

/** Opens a menu at a button: `onClick={(event) => open(event.currentTarget, [{ label, act }])}`. */
export function useMenu(): Open {
  return useContext(MenuContext);
}

interface Shown extends Look {
  anchor: HTMLElement;
  choices: readonly Choice[];
  place: MenuProps["place"];
}

/**
 * The one menu of everything. Each row with a menu of its own would cost more than everything else in it; and what draws
 * it is loaded when somebody opens the first.
 */
export function Menus({ children, onFailure }: { children: ReactNode; onFailure: (error: Error) => void }) {
  const [Menu, setMenu] = useState<ComponentType<MenuProps> | null>(null);
  const [shown, setShown] = useState<Shown | null>(null);
  const [isOpen, setOpen] = useState(false);
  const anchor = useRef<HTMLElement | null>(null);
  const pressed = useRef<HTMLElement | null>(null);

  const open = useCallback<Open>(
    (at, choices, look = {}) => {
      if (pressed.current === at) return;
      const { point } = look;
      const { left, top, width, height } = point ? new DOMRect(point.x, point.y) : at.getBoundingClientRect();
      anchor.current = at;
      at.setAttribute("aria-expanded", "true");
      setShown({
        ...look,
        anchor: at,
        choices: choices.filter((one) => one !== false),
        place: { left, top, width, height },
      });
      setOpen(true);
      import("./menu").then(
        (found) => setMenu(() => found.OneMenu),
        (error: Error) => {
          at.removeAttribute("aria-expanded");
          setOpen(false);
          onFailure(error);
        },
      );
    },
    [onFailure],
  );

  // A press on the button of the open menu closes it, and its click must not open it again.
  useEffect(() => {
    if (!isOpen) return;
    const forget = () =>
      setTimeout(() => {
        pressed.current = null; // after the click
      });
    const press = ({ target }: PointerEvent) => {
      if (!(target instanceof Node) || !anchor.current?.contains(target)) return;
      pressed.current = anchor.current;
      window.addEventListener("pointerup", forget, { once: true });
    };
    window.addEventListener("pointerdown", press, true);
    return () => window.removeEventListener("pointerdown", press, true);
  }, [isOpen]);

  const close = () => {
    anchor.current?.removeAttribute("aria-expanded");
    setOpen(false);
    // Back to where it was opened, unless what was chosen has moved the focus on.
    requestAnimationFrame(() => {
      const { activeElement } = document;
      if (activeElement === null || activeElement === document.body) shown?.anchor.focus({ preventScroll: true });
    });
  };

  return (
    <MenuContext value={open}>
      {children}
      {shown && Menu && <Menu {...shown} isOpen={isOpen} onClose={close} />}
    </MenuContext>
  );
}
