import { Button, Menu, Modal } from "@mantine/core";
import { EllipsisVertical } from "lucide-react";
import { useState } from "react";
import { ago, type TextKey, t } from "../text/text";
import { useNow, useSelect } from "../ui/hooks";
import { StatePill } from "../ui/state";
import type { Computer } from "../wire/contract";
import { request } from "../wire/request";
import { ComputerAbout } from "./computer-about";
import { AddComputer } from "./computer-wizard";
import { Command } from "./copy";
import { confirm } from "./dialogs";
import css from "./settings.module.css";
import table from "./table.module.css";
import { tellFailure } from "./tell";

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
  const [command, setCommand] = useState<string | null>(null);
  const [isOpen, setOpen] = useState(false);
  const rotate = async () => {
    const isSure = await confirm({
      title: t("computers.rotate"),
      text: t("computers.rotateAsk", { name: one.name }),
      confirm: t("computers.rotate"),
    });
    if (!isSure) return;
    await request("POST /api/computers/{id}/rotate", { params: { id: one.id } }).then(
      (made) => setCommand(made.command),
      tellFailure,
    );
  };
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
        <Button variant="subtle" size="compact-sm" px={0} aria-haspopup="dialog" onClick={() => setOpen(true)}>
          {one.name}
        </Button>{" "}
        <small className={table.quiet}>{one.os}</small>
      </td>
      <td>
        <StatePill status={LOOKS[one.status]} word={t(`computers.${one.status}` as TextKey)} />
      </td>
      <td className="num">
        {one.live_runs} / {one.max_runs}
      </td>
      <td>
        <span className={css.chips}>
          {one.runtimes
            .filter((each) => each.available)
            .map((each) => (
              <span key={each.name} title={each.note}>
                {each.name} {each.version ?? ""}
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
            <Menu position="bottom-end">
              <Menu.Target>
                <Button variant="subtle" aria-label={`${t("files.acts")}: ${one.name}`}>
                  <EllipsisVertical size={16} />
                </Button>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Item onClick={() => void rotate()}>{t("computers.rotate")}</Menu.Item>
                <Menu.Item onClick={() => void revoke()}>{t("computers.revoke")}</Menu.Item>
              </Menu.Dropdown>
            </Menu>
          </span>
        )}
        {isOpen && <ComputerAbout one={one} onClose={() => setOpen(false)} />}
        {command !== null && (
          <Modal
            opened
            onClose={() => setCommand(null)}
            title={one.name}
            closeButtonProps={{ "aria-label": t("confirm.close") }}
          >
            <div className={css.form}>
              <p className={css.said}>{t("computers.rotated")}</p>
              <Command isLarge>{command}</Command>
            </div>
          </Modal>
        )}
      </td>
    </tr>
  );
}
