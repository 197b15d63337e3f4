import { Menu } from "@mantine/core";
import { createContext, type ReactNode, useCallback, useContext, useRef, useState } from "react";

export type Choice = { label: string; act: () => void } | "line";

type Open = (anchor: HTMLElement, choices: readonly (Choice | false)[]) => void;

const MenuContext = createContext<Open>(() => {});

/** Opens a menu at a button: `onClick={(event) => open(event.currentTarget, [{ label, act }])}`. */
export function useMenu(): Open {
  return useContext(MenuContext);
}

interface Shown {
  anchor: HTMLElement;
  choices: readonly Choice[];
  place: { left: number; top: number; width: number; height: number };
}

/** The one menu of all rows. Each row with a menu of its own would cost more than everything else in it. */
export function Menus({ children }: { children: ReactNode }) {
  const [shown, setShown] = useState<Shown | null>(null);
  const [isOpen, setOpen] = useState(false);
  const anchor = useRef<HTMLElement | null>(null);

  const open = useCallback<Open>((at, choices) => {
    const { left, top, width, height } = at.getBoundingClientRect();
    anchor.current = at;
    at.setAttribute("aria-expanded", "true");
    setShown({ anchor: at, choices: choices.filter((one) => one !== false), place: { left, top, width, height } });
    setOpen(true);
  }, []);

  const close = () => {
    anchor.current?.removeAttribute("aria-expanded");
    setOpen(false);
  };

  return (
    <MenuContext value={open}>
      {children}
      {shown && (
        <Menu
          opened={isOpen}
          onClose={() => {
            close();
            // Back to where it was opened, unless what was chosen has moved the focus on.
            requestAnimationFrame(() => {
              const { activeElement } = document;
              if (activeElement === null || activeElement === document.body)
                shown.anchor.focus({ preventScroll: true });
            });
          }}
          returnFocus={false}
          transitionProps={{ duration: 0 }}
        >
          <Menu.Target>
            <span aria-hidden style={{ position: "fixed", pointerEvents: "none", ...shown.place }} />
          </Menu.Target>
          <Menu.Dropdown>
            {shown.choices.map((one, index) =>
              one === "line" ? (
                // biome-ignore lint/suspicious/noArrayIndexKey: lines have no names
                <Menu.Divider key={index} />
              ) : (
                <Menu.Item key={one.label} onClick={one.act}>
                  {one.label}
                </Menu.Item>
              ),
            )}
          </Menu.Dropdown>
        </Menu>
      )}
    </MenuContext>
  );
}
