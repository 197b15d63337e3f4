import { ActionIcon, Button } from "@mantine/core";
import { Copy } from "lucide-react";
import { t } from "../text/text";
import css from "./copy.module.css";
import { tell, tellFailure } from "./tell";

export const copy = (text: string): void =>
  void navigator.clipboard.writeText(text).then(() => tell(t("confirm.copied")), tellFailure);

/** A command as it is typed, whole, with a button that copies it. */
export function Command({ children, isLarge = false }: { children: string; isLarge?: boolean }) {
  return (
    <div className={css.command}>
      <pre tabIndex={0}>{children}</pre>
      {isLarge ? (
        <Button variant="filled" onClick={() => copy(children)}>
          {t("confirm.copy")}
        </Button>
      ) : (
        <ActionIcon
          data-tip={t("confirm.copy")}
          aria-label={`${t("confirm.copy")}: ${children.slice(0, 60)}`}
          onClick={() => copy(children)}
        >
          <Copy size={15} />
        </ActionIcon>
      )}
    </div>
  );
}
