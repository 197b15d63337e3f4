import { Button, MantineProvider, Modal, TextInput } from "@mantine/core";
import { useState } from "react";
import { createRoot } from "react-dom/client";
import { t } from "../text/text";
import { theme, variables } from "../theme/mantine";
import type { Wanted } from "./dialogs";

/** Dialogs are awaited, so they live in a root of their own and go when they are answered. */
export function open(wanted: Wanted, withText: boolean): Promise<string | null> {
  return new Promise((resolve) => {
    const place = document.createElement("div");
    document.body.append(place);
    const root = createRoot(place);
    const scheme = document.documentElement.dataset.mantineColorScheme === "dark" ? "dark" : "light";
    const nonce = document.querySelector<HTMLMetaElement>('meta[name="style-nonce"]')?.content ?? "";
    const end = (answer: string | null) => {
      resolve(answer);
      root.unmount();
      place.remove();
    };
    root.render(
      <MantineProvider
        theme={theme}
        cssVariablesResolver={variables}
        forceColorScheme={scheme}
        getStyleNonce={() => nonce}
      >
        <Asked wanted={wanted} withText={withText} onEnd={end} />
      </MantineProvider>,
    );
  });
}

function Asked({
  wanted,
  withText,
  onEnd,
}: {
  wanted: Wanted;
  withText: boolean;
  onEnd: (answer: string | null) => void;
}) {
  const [value, setValue] = useState(wanted.value ?? "");
  const isReady = wanted.typed === undefined ? !withText || value.trim() !== "" : value === wanted.typed;
  return (
    <Modal
      opened
      onClose={() => onEnd(null)}
      title={wanted.title}
      closeButtonProps={{ "aria-label": t("confirm.close") }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (isReady) onEnd(withText ? value.trim() : "");
        }}
        style={{ display: "grid", gap: 16 }}
      >
        {wanted.text && <p style={{ margin: 0, color: "var(--text-2)" }}>{wanted.text}</p>}
        {withText && (
          <TextInput
            data-autofocus
            aria-label={wanted.title}
            value={value}
            onChange={(event) => setValue(event.currentTarget.value)}
          />
        )}
        <div style={{ display: "flex", justifyContent: "flex-end", gap: 8 }}>
          <Button onClick={() => onEnd(null)}>{t("confirm.cancel")}</Button>
          <Button type="submit" variant="filled" disabled={!isReady} {...(withText ? {} : { "data-autofocus": true })}>
            {wanted.confirm}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
