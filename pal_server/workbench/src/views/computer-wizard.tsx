import { Button, Modal, TextInput } from "@mantine/core";
import { useState } from "react";
import { newId } from "../state/store";
import { t } from "../text/text";
import { useSelect } from "../ui/hooks";
import { StatePill } from "../ui/state";
import { request } from "../wire/request";
import { Command } from "./copy";
import css from "./settings.module.css";

/** A name, then one command to run there; it turns green by itself. `onClose` is told the id of what was made. */
export function AddComputer({ onClose }: { onClose: (made: string | null) => void }) {
  const [name, setName] = useState("");
  const [made, setMade] = useState<{ id: string; command: string } | null>(null);
  const computer = useSelect((state) => (made ? state.desk.computers[made.id] : undefined));
  const [clientId] = useState(newId);
  const [error, setError] = useState("");
  const isHere = computer?.status === "online";
  const add = () =>
    request("POST /api/computers/provision", { body: { name, server_url: location.origin, client_id: clientId } }).then(
      (answer) => setMade({ id: answer.computer.id, command: answer.command }),
      (failure: Error) => setError(failure.message),
    );
  return (
    <Modal
      opened
      onClose={() => onClose(made?.id ?? null)}
      title={t("computers.add")}
      size="lg"
      closeButtonProps={{ "aria-label": t("confirm.close") }}
    >
      {made === null ? (
        <form
          className={css.form}
          onSubmit={(event) => {
            event.preventDefault();
            void add();
          }}
        >
          <TextInput
            data-autofocus
            label={t("computers.name")}
            description={t("wizard.computerHint")}
            value={name}
            error={error}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <div className={css.end}>
            <Button type="submit" variant="filled" disabled={name.trim() === ""}>
              {t("computers.add")}
            </Button>
          </div>
        </form>
      ) : (
        <div className={css.form}>
          <p className={css.said}>{t("wizard.getPal")}</p>
          <p className={css.said}>{t("computers.run")}</p>
          <Command isLarge>{made.command}</Command>
          <div aria-live="polite">
            <StatePill
              status={isHere ? "succeeded" : "running"}
              word={isHere ? t("computers.connected") : t("computers.waitsFor")}
            />
          </div>
          {isHere && (
            <p className={css.said}>
              {t("wizard.found", {
                programs:
                  computer.runtimes
                    .filter((one) => one.available)
                    .map((one) => one.name)
                    .join(", ") || "demo",
              })}
            </p>
          )}
          <div className={css.end}>
            <Button onClick={() => onClose(made.id)}>{t("confirm.close")}</Button>
          </div>
        </div>
      )}
    </Modal>
  );
}
