import { Button, SegmentedControl } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { count, duration, money, type TextKey, t } from "../text/text";
import type { Used } from "../wire/contract";
import { request } from "../wire/request";
import { Page } from "./page";
import css from "./table.module.css";

const BY = ["agent", "room", "project", "day"] as const;

/** What the runs of the last 30 days used. What a program did not say is not in it. */
export function UsageView() {
  const [by, setBy] = useState<(typeof BY)[number]>("agent");
  const { data, error } = useQuery({
    queryKey: ["usage", by],
    queryFn: () =>
      request("GET /api/usage", { query: { by, limit: 200, utc_offset: -new Date().getTimezoneOffset() } }),
  });
  const rows = data?.usage ?? [];
  return (
    <Page
      title={t("usage.title")}
      actions={
        <>
          <SegmentedControl
            size="xs"
            value={by}
            onChange={setBy}
            data={BY.map((value) => ({ value, label: t(`usage.${value}` as TextKey) }))}
          />
          <Button disabled={rows.length === 0} onClick={() => save(rows, by)}>
            {t("usage.export")}
          </Button>
        </>
      }
    >
      {error && <p role="alert">{error.message}</p>}
      {data && rows.length === 0 && <p className={css.none}>{t("usage.none")}</p>}
      {data && rows.length > 0 && (
        <div className={css.wrap}>
          <table className={css.table}>
            <thead>
              <tr>
                <th>{t(`usage.${by}` as TextKey)}</th>
                <th data-right>{t("usage.runs")}</th>
                <th data-right>{t("usage.failed")}</th>
                <th data-right>{t("usage.input")}</th>
                <th data-right>{t("usage.output")}</th>
                <th data-right>{t("usage.cost")}</th>
                <th data-right>{t("usage.time")}</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <Row key={row.key} row={row} name={row.name || t("usage.noProject")} />
              ))}
            </tbody>
            <tfoot>
              <Row row={data.total} name={t("usage.total")} />
            </tfoot>
          </table>
        </div>
      )}
    </Page>
  );
}

function Row({ row, name }: { row: Used; name: string }) {
  return (
    <tr className="num">
      <td>{name}</td>
      <td data-right>{row.runs}</td>
      <td data-right>{row.failed || ""}</td>
      <td data-right>{row.with_tokens > 0 ? count(row.input_tokens) : ""}</td>
      <td data-right>{row.with_tokens > 0 ? count(row.output_tokens) : ""}</td>
      <td data-right>{row.with_cost > 0 ? money(row.cost_usd) : ""}</td>
      <td data-right>{duration(row.duration_ms)}</td>
    </tr>
  );
}

function save(rows: readonly Used[], by: string): void {
  const names = ["name", "runs", "failed", "input_tokens", "output_tokens", "cost_usd", "duration_ms"] as const;
  const lines = [names.join(","), ...rows.map((row) => names.map((name) => cell(String(row[name]))).join(","))];
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([`${lines.join("\r\n")}\r\n`], { type: "text/csv" }));
  link.download = `pal-usage-by-${by}.csv`;
  link.click();
  URL.revokeObjectURL(link.href);
}

/** A cell that a spreadsheet would take for a formula is made text. */
function cell(text: string): string {
  const safe = /^[=+\-@\t]/.test(text) && !/^-?\d/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
