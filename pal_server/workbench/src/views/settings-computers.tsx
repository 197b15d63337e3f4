import { Button, Modal, TextInput } from "@mantine/core";
import { useState } from "react";
import { newId } from "../state/store";
import { ago, type TextKey, t } from "../text/text";
import { useNow, useSelect } from "../ui/hooks";
import { StatePill } from "../ui/state";
import type { Computer } from "../wire/contract";
import { request } from "../wire/request";
import { confirm } from "./dialogs";
import css from "./settings.module.css";
import table from "./table.module.css";
import { tell, tellFailure } from "./tell";

const LOOKS: Readonly<Record<Computer["status"], string>> = {
  online: "succeeded",
  offline: "idle",
  draining: "paused",
  provisioned: "queued",
  revoked: "failed",
};

export function ComputersPage() {
  const computers = useSelect((state) => state.desk.computers);
  const now = useNow(10_000);
  const [isAdding, setAdding] = useState(false);
  const all = Object.values(computers).sort((one, other) => one.created_at - other.created_at);
  return (
    <div className={css.wide}>
      <div className={css.top}>
        <Button variant="filled" onClick={() => setAdding(true)}>
          {t("computers.add")}
        </Button>
      </div>
      {all.length === 0 && <p className={table.none}>{t("computers.none")}</p>}
      {all.length > 0 && (
        <div className={table.wrap}>
          <table className={table.table}>
            <thead>
              <tr>
                <th>{t("computers.name")}</th>
                <th>{t("computers.status")}</th>
                <th>{t("computers.runs")}</th>
                <th>{t("computers.runtimes")}</th>
                <th>{t("computers.seen")}</th>
                <th />
              </tr>
            </thead>
            <tbody>
              {all.map((one) => (
                <Row key={one.id} one={one} now={now} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {isAdding && <AddComputer onClose={() => setAdding(false)} />}
    </div>
  );
}

function Row({ one, now }: { one: Computer; now: number }) {
  const drain = (draining: boolean) =>
    request("POST /api/computers/{id}/drain", { params: { id: one.id }, body: { draining } }).catch(tellFailure);
  const revoke = async () => {
    const { name } = one;
    const isSure = await confirm({
      title: t("computers.revoke"),
      text: t("computers.revokeAsk", { name }),
      confirm: t("computers.revoke"),
      typed: name,
    });
    if (isSure) await request("POST /api/computers/{id}/revoke", { params: { id: one.id } }).catch(tellFailure);
  };
  return (
    <tr>
      <td>
        <b>{one.name}</b> <small className={table.quiet}>{one.os}</small>
      </td>
      <td>
        <StatePill status={LOOKS[one.status]} word={t(`computers.${one.status}` as TextKey)} />
      </td>
      <td className="num">
        {one.live_runs} / {one.max_runs}
      </td>
      <td>
        <span className={css.chips}>
          {one.runtimes
            .filter((each) => each.available)
            .map((each) => (
              <span key={each.name} title={each.note}>
                {each.name}
              </span>
            ))}
        </span>
      </td>
      <td className={table.quiet}>{one.last_seen_at === null ? t("tokens.never") : ago(one.last_seen_at, now)}</td>
      <td>
        {one.status !== "revoked" && (
          <span className={table.actions}>
            <Button onClick={() => void drain(one.status !== "draining")}>
              {one.status === "draining" ? t("computers.undrain") : t("computers.drain")}
            </Button>
            <Button variant="subtle" onClick={() => void revoke()}>
              {t("computers.revoke")}
            </Button>
          </span>
        )}
      </td>
    </tr>
  );
}

/** A name, then one command to run there; it turns green by itself. */
function AddComputer({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState("");
  const [made, setMade] = useState<{ id: string; command: string } | null>(null);
  const status = useSelect((state) => (made ? state.desk.computers[made.id]?.status : undefined));
  const [clientId] = useState(newId);
  const [error, setError] = useState("");
  const add = () =>
    request("POST /api/computers/provision", { body: { name, server_url: location.origin, client_id: clientId } }).then(
      (answer) => setMade({ id: answer.computer.id, command: answer.command }),
      (failure: Error) => setError(failure.message),
    );
  return (
    <Modal
      opened
      onClose={onClose}
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
        <div className={css.command}>
          <p>{t("computers.run")}</p>
          <pre>{made.command}</pre>
          <div className={css.end}>
            <StatePill
              status={status === "online" ? "succeeded" : "running"}
              word={status === "online" ? t("computers.connected") : t("computers.waitsFor")}
            />
            <Button
              variant="filled"
              onClick={() =>
                void navigator.clipboard.writeText(made.command).then(() => tell(t("confirm.copied")), tellFailure)
              }
            >
              {t("confirm.copy")}
            </Button>
          </div>
        </div>
      )}
    </Modal>
  );
}
