import { Modal } from "@mantine/core";
import { type TextKey, t } from "../text/text";
import { Keys } from "../ui/keys";
import css from "./keys-help.module.css";

const ROWS: readonly [string, TextKey][] = [
  ["Mod K", "keys.palette"],
  ["G I T R L F W H U S", "keys.go"],
  ["J K", "keys.list"],
  ["Enter Esc", "keys.open"],
  ["N", "keys.unread"],
  ["C", "keys.new"],
  ["R", "keys.reply"],
  ["E", "keys.resolve"],
  ["A D", "keys.answer"],
  ["Shift .", "keys.stop"],
  ["[ ]", "keys.panels"],
  ["1 2 3 4 5", "keys.tabs"],
  ["H L", "keys.nextTab"],
  ["T 1 … 9", "keys.tab"],
  ["X Shift X", "keys.closeTab"],
  ["Ctrl `", "keys.terminal"],
  ["Ctrl Shift Esc", "keys.leaveTerminal"],
  ["F6", "keys.regions"],
  ["Mod Enter", "keys.send"],
  ["?", "keys.help"],
];

export default function KeysHelp({ onClose }: { onClose: () => void }) {
  return (
    <Modal opened onClose={onClose} title={t("keys.title")} closeButtonProps={{ "aria-label": t("confirm.close") }}>
      <dl className={css.keys}>
        {ROWS.map(([keys, text]) => (
          <div key={text}>
            <dt>{t(text)}</dt>
            <dd>
              <Keys keys={keys} />
              <span className="sr">{keys}</span>
            </dd>
          </div>
        ))}
      </dl>
    </Modal>
  );
}
