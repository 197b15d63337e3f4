import css from "./keys.module.css";

export const IS_MAC = /Mac|iPhone|iPad/.test(navigator.platform);
export const MOD = IS_MAC ? "⌘" : "Ctrl";

/** The keys of an action, as they stand on the keyboard. Hidden where there is none. */
export function Keys({ keys }: { keys: string }) {
  return (
    <span className={css.keys} aria-hidden>
      {keys.split(" ").map((key) => (
        <kbd key={key}>{key === "Mod" ? MOD : key}</kbd>
      ))}
    </span>
  );
}

/** Whether somebody is writing, where single keys are letters. */
export function isWriting(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}
