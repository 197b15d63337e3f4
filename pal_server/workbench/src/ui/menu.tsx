import { Menu } from "@mantine/core";
import type { Choice, Look } from "./menus";

export interface MenuProps extends Look {
  isOpen: boolean;
  choices: readonly Choice[];
  /** Of its button in the window, in pixels. */
  place: { left: number; top: number; width: number; height: number };
  onClose: () => void;
}

/** What `Menus` draws. It has no button of its own, but stands where the one that opened it is. */
export function OneMenu({ isOpen, choices, place, position, width, onClose }: MenuProps) {
  return (
    <Menu
      opened={isOpen}
      onClose={onClose}
      returnFocus={false}
      transitionProps={{ duration: 0 }}
      {...(position && { position })}
      {...(width && { width })}
    >
      <Menu.Target>
        <span aria-hidden style={{ position: "fixed", pointerEvents: "none", ...place }} />
      </Menu.Target>
      <Menu.Dropdown>
        {choices.map((one, index) => {
          // biome-ignore lint/suspicious/noArrayIndexKey: lines have no names
          if (one === "line") return <Menu.Divider key={index} />;
          if ("heading" in one) return <Menu.Label key={one.heading}>{one.heading}</Menu.Label>;
          // biome-ignore lint/suspicious/noArrayIndexKey: notes have no names
          if ("note" in one) return <div key={index}>{one.note}</div>;
          return (
            <Menu.Item
              key={one.key ?? one.label}
              onClick={one.act}
              disabled={one.isOff ?? false}
              leftSection={one.before}
              rightSection={one.after}
            >
              {one.label}
            </Menu.Item>
          );
        })}
      </Menu.Dropdown>
    </Menu>
  );
}
