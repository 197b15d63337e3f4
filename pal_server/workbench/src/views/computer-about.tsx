import { Modal } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { LIVE } from "../state/desk";
import { ago, dateTime, t } from "../text/text";
import { useNow, useSelect } from "../ui/hooks";
import { StatePill } from "../ui/state";
import type { Computer, RuntimeState } from "../wire/contract";
import { Command } from "./copy";
import css from "./settings.module.css";
import table from "./table.module.css";

/** All that a computer tells of itself: its system, its programs with their log-ins, where its runs work. */
export function ComputerAbout({ one, onClose }: { one: Computer; onClose: () => void }) {
  const now = useNow(10_000);
  return (
    <Modal opened size="xl" onClose={onClose} title={one.name} closeButtonProps={{ "aria-label": t("confirm.close") }}>
      <div className={css.form}>
        <p className={css.said}>
          {[one.os, one.host, one.daemon_version && t("computers.version", { version: one.daemon_version })]
            .filter(Boolean)
            .join(" · ")}
          {one.last_seen_at !== null && (
            <>
              {" · "}
              <span title={dateTime(one.last_seen_at)}>
                {t("computers.seenAt", { when: ago(one.last_seen_at, now) })}
              </span>
            </>
          )}
        </p>
        <Programs runtimes={one.runtimes} />
        <Checkouts one={one} now={now} />
        <LiveRuns computer={one.id} />
      </div>
    </Modal>
  );
}

function Programs({ runtimes }: { runtimes: readonly RuntimeState[] }) {
  return (
    <section aria-label={t("computers.runtimes")}>
      <h3>{t("computers.runtimes")}</h3>
      {runtimes.map((each) => (
        <div key={each.name} data-runtime={each.name}>
          <p>
            <b>{each.name}</b>{" "}
            <small className={table.quiet}>
              {[
                each.version ?? (each.available ? t("computers.has") : t("computers.hasNot")),
                each.login !== null && t(`computers.login.${each.login}`),
              ]
                .filter(Boolean)
                .join(" · ")}
            </small>
          </p>
          {each.note && (each.available || !each.install) && <p className={css.said}>{each.note}</p>}
          {!each.available && each.install && <Command>{each.install}</Command>}
        </div>
      ))}
    </section>
  );
}

function Checkouts({ one, now }: { one: Computer; now: number }) {
  return (
    <section aria-label={t("computers.checkouts")}>
      <h3>{t("computers.checkouts")}</h3>
      {one.checkouts.length === 0 && <p className={css.said}>{t("computers.noCheckouts")}</p>}
      {one.checkouts.map((each) => (
        <p key={each.root}>
          <code>{each.root}</code> {each.branch ?? t("computers.noBranch")}{" "}
          <small className={table.quiet} title={dateTime(each.used_at)}>
            {ago(each.used_at, now)}
          </small>
        </p>
      ))}
    </section>
  );
}

function LiveRuns({ computer }: { computer: string }) {
  const known = useSelect((state) => state.desk.runs);
  const rooms = useSelect((state) => state.desk.rooms);
  const runs = Object.values(known).filter((run) => run.computer === computer && LIVE.has(run.status));
  return (
    <section aria-label={t("computers.runs")}>
      <h3>{t("computers.runs")}</h3>
      {runs.length === 0 && <p className={css.said}>{t("runs.noneLive")}</p>}
      {runs.map((run) => (
        <p key={run.id}>
          <Link to="/r/$room/$topic" params={{ room: rooms[run.room]?.name ?? run.room, topic: String(run.topic) }}>
            {run.agent} {t("run.title", { id: run.id })}
          </Link>{" "}
          <StatePill status={run.status} />
        </p>
      ))}
    </section>
  );
}
