const SIGNS = ["pointerdown", "keydown"] as const;

/** Acts once, with the first key, finger or button somebody presses; until then a page may only be looked at. Ends with what it returns. */
export function onFirstTouch(act: () => void): () => void {
  const end = () => {
    for (const sign of SIGNS) window.removeEventListener(sign, begin, true);
  };
  const begin = () => {
    end();
    act();
  };
  for (const sign of SIGNS) window.addEventListener(sign, begin, { capture: true, passive: true });
  return end;
}
