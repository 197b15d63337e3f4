import "@mantine/core/styles/NumberInput.layer.css";
import { Button, Menu, Modal, NativeSelect, NumberInput, SegmentedControl, TextInput } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { EllipsisVertical } from "lucide-react";
import { useState } from "react";
import { checkBot, forgetBot, listBots, listIdentities, putIdentity, removeIdentity, unbindBot } from "../api/bots";
import { ago, dateTime, type TextKey, t } from "../text/text";
import { Face } from "../ui/face";
import { useNow, useSelect } from "../ui/hooks";
import { StatePill } from "../ui/state";
import type { Bot, Identity } from "../wire/contract";
import { Command } from "./copy";
import { confirm } from "./dialogs";
import { useFilters } from "./filters";
import { useFresh } from "./fresh";
import { PLATFORMS, platformName } from "./platforms";
import css from "./settings.module.css";
import table from "./table.module.css";
import { tell, tellFailure } from "./tell";

const LEVELS: readonly Identity["level"][] = ["talk", "operate", "own"];
const LOOKS: Readonly<Record<Bot["state"], string>> = {
  listening: "succeeded",
  error: "failed",
  unverified: "queued",
  unbound: "idle",
};

/** Bots of each platform, how they are, and who out there may use them. */
export function BotsPage() {
  const [{ kind }, set] = useFilters();
  const role = useSelect((state) => state.desk.me.role);
  const isAdmin = role === "owner" || role === "admin";
  const { data: bots = [] } = useQuery({ queryKey: ["bots"], queryFn: listBots });
  useFresh(["bots"], "bot");
  const platforms = [...new Set([...Object.keys(PLATFORMS), ...bots.map((bot) => bot.platform)])];
  const platform = kind && platforms.includes(kind) ? kind : (bots[0]?.platform ?? "lark");
  const mine = bots.filter((bot) => bot.platform === platform);
  const [isAdding, setAdding] = useState(false);
  return (
    <div className={css.wide}>
      <div className={css.top}>
        <SegmentedControl
          aria-label={t("bots.platform")}
          value={platform}
          onChange={(wanted) => set({ kind: wanted })}
          data={platforms.map((one) => ({ value: one, label: platformName(one) }))}
        />
        <span className={css.space} />
        {isAdmin && (
          <Button variant="filled" onClick={() => setAdding(true)}>
            {t("bots.add")}
          </Button>
        )}
      </div>
      {mine.length === 0 && <p className={table.none}>{t("bots.none", { platform: platformName(platform) })}</p>}
      {mine.length > 0 && <Bots bots={mine} isAdmin={isAdmin} />}
      {role !== "viewer" && <Allowed platform={platform} isAdmin={isAdmin} />}
      {isAdding && <AddBot platform={platform} onClose={() => setAdding(false)} />}
    </div>
  );
}

function Bots({ bots, isAdmin }: { bots: readonly Bot[]; isAdmin: boolean }) {
  const now = useNow();
  const queries = useQueryClient();
  const [busy, setBusy] = useState<string | null>(null);
  const reload = () => queries.invalidateQueries({ queryKey: ["bots"] });
  const check = (bot: Bot) => {
    setBusy(bot.id);
    checkBot(bot.id)
      .then(({ findings }) => {
        const bad = findings.filter((one) => one.ok !== true);
        tell(bad.length === 0 ? t("bots.fine") : bad.map((one) => `${one.what}: ${one.text}`).join("; "));
        return reload();
      }, tellFailure)
      .finally(() => setBusy(null));
  };
  const take = async (bot: Bot, isForgotten: boolean) => {
    const name = bot.label || bot.name || bot.app_id;
    const isSure = await confirm({
      title: t(isForgotten ? "bots.forget" : "bots.unbind"),
      text: t(isForgotten ? "bots.forgetAsk" : "bots.unbindAsk", { name }),
      confirm: t(isForgotten ? "bots.forget" : "bots.unbind"),
      ...(isForgotten ? { typed: bot.app_id } : {}),
    });
    if (isSure) await (isForgotten ? forgetBot(bot.id) : unbindBot(bot.id)).then(reload, tellFailure);
  };
  return (
    <div className={table.wrap}>
      <table className={table.table}>
        <thead>
          <tr>
            <th>{t("bots.bot")}</th>
            <th>{t("agents.name")}</th>
            <th>{t("computers.status")}</th>
            <th>{t("bots.heard")}</th>
            <th>
              <span className="sr">{t("files.acts")}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {bots.map((bot) => (
            <tr key={bot.id}>
              <td>
                <b>{bot.label || bot.name || bot.app_id}</b> <small className={table.quiet}>{bot.app_id}</small>
              </td>
              <td>
                {bot.agent ? (
                  <span className={table.who}>
                    <Face kind="agent" name={bot.agent} size={22} />
                    {bot.agent}
                  </span>
                ) : (
                  <span className={table.quiet}>{t("bots.nobody")}</span>
                )}
              </td>
              <td>
                <StatePill status={LOOKS[bot.state]} word={t(`bots.${bot.state}` as TextKey)} />
                {bot.error && <div className={css.reason}>{bot.error}</div>}
                {bot.waits_for_reload && <div className={css.reason}>{t("bots.waitsForReload")}</div>}
              </td>
              <td className={table.quiet} title={bot.heard_at === null ? "" : dateTime(bot.heard_at)}>
                {bot.heard_at === null ? t("tokens.never") : ago(bot.heard_at, now)}
              </td>
              <td data-right>
                {isAdmin && (
                  <span className={table.actions}>
                    <Button loading={busy === bot.id} onClick={() => check(bot)}>
                      {t("bots.check")}
                    </Button>
                    <Menu position="bottom-end">
                      <Menu.Target>
                        <Button variant="subtle" aria-label={`${t("files.acts")}: ${bot.app_id}`}>
                          <EllipsisVertical size={16} />
                        </Button>
                      </Menu.Target>
                      <Menu.Dropdown>
                        {bot.agent && <Menu.Item onClick={() => void take(bot, false)}>{t("bots.unbind")}</Menu.Item>}
                        <Menu.Item onClick={() => void take(bot, true)}>{t("bots.forget")}</Menu.Item>
                      </Menu.Dropdown>
                    </Menu>
                  </span>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Who of a platform may use its bots: those who asked first, as they wait for an answer. */
function Allowed({ platform, isAdmin }: { platform: string; isAdmin: boolean }) {
  const queries = useQueryClient();
  const [isAdding, setAdding] = useState(false);
  const users = Object.values(useSelect((state) => state.desk.users));
  const known = useQuery({
    queryKey: ["identities", platform, "known"],
    queryFn: () => listIdentities(platform, null),
  });
  const asked = useQuery({
    queryKey: ["identities", platform, "asked"],
    queryFn: () => listIdentities(platform, "asked"),
  });
  const reload = () => queries.invalidateQueries({ queryKey: ["identities", platform] });
  const all = [
    ...(asked.data ?? []),
    ...(known.data ?? []).filter((one) => !asked.data?.some((other) => other.id === one.id)),
  ];
  const put = (one: Identity, wanted: Partial<Parameters<typeof putIdentity>[0]>) =>
    void putIdentity({
      platform,
      external_id: one.external_id,
      allowed: one.standing !== "denied",
      ...wanted,
    }).then(() => {
      tell(t("settings.saved"));
      return reload();
    }, tellFailure);
  const remove = async (one: Identity) => {
    const isSure = await confirm({
      title: t("bots.remove"),
      text: t("bots.removeAsk", { name: one.name }),
      confirm: t("bots.remove"),
    });
    if (isSure) await removeIdentity(platform, one.external_id).then(reload, tellFailure);
  };
  return (
    <section className={css.section} aria-label={t("bots.allowed", { platform: platformName(platform) })}>
      <div className={css.top}>
        <h3 className={css.part}>{t("bots.allowed", { platform: platformName(platform) })}</h3>
        <span className={css.space} />
        {isAdmin && <Button onClick={() => setAdding(true)}>{t("bots.letIn")}</Button>}
      </div>
      {known.isSuccess && asked.isSuccess && all.length === 0 && <p className={table.none}>{t("bots.nobodyYet")}</p>}
      {all.length > 0 && (
        <div className={table.wrap}>
          <table className={table.table}>
            <thead>
              <tr>
                <th>{t("people.username")}</th>
                <th>{t("bots.standing")}</th>
                <th>{t("bots.user")}</th>
                <th>{t("bots.level")}</th>
                <th data-right>{t("bots.quota")}</th>
                <th>
                  <span className="sr">{t("files.acts")}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {all.map((one) => (
                <tr key={one.id} data-identity={one.external_id}>
                  <td>
                    <span className={table.who}>
                      <Face kind="user" name={one.external_id} label={one.name} size={24} />
                      <span>
                        {one.name} <small>{one.external_id}</small>
                      </span>
                    </span>
                  </td>
                  <td>
                    <StatePill
                      status={
                        one.standing === "asked" ? "waiting" : one.standing === "allowed" ? "succeeded" : "failed"
                      }
                      word={t(one.standing === "allowed" ? "bots.isAllowed" : (`bots.${one.standing}` as TextKey))}
                    />
                  </td>
                  <td>
                    {isAdmin && one.standing === "allowed" ? (
                      <NativeSelect
                        size="xs"
                        aria-label={`${one.name}: ${t("bots.user")}`}
                        value={one.user ?? ""}
                        onChange={(event) => put(one, { user: event.currentTarget.value || null })}
                        data={[
                          { value: "", label: t("bots.noUser") },
                          ...users.map(({ username }) => ({ value: username, label: username })),
                        ]}
                      />
                    ) : (
                      <span className={table.quiet}>{one.user ?? ""}</span>
                    )}
                  </td>
                  <td>
                    {isAdmin && one.standing === "allowed" ? (
                      <NativeSelect
                        size="xs"
                        aria-label={`${one.name}: ${t("bots.level")}`}
                        value={one.level}
                        onChange={(event) => put(one, { level: event.currentTarget.value as Identity["level"] })}
                        data={LEVELS.map((level) => ({ value: level, label: t(`bots.${level}` as TextKey) }))}
                      />
                    ) : (
                      <span className={table.quiet}>
                        {one.standing === "allowed" ? t(`bots.${one.level}` as TextKey) : ""}
                      </span>
                    )}
                  </td>
                  <td data-right className="num">
                    {one.quota ?? <span className={table.quiet}>{t("bots.noQuota")}</span>}
                  </td>
                  <td data-right>
                    {isAdmin && (
                      <span className={table.actions}>
                        {one.standing !== "allowed" && (
                          <Button onClick={() => put(one, { allowed: true })}>{t("bots.allow")}</Button>
                        )}
                        {one.standing !== "denied" && (
                          <Button variant="subtle" onClick={() => put(one, { allowed: false })}>
                            {t("bots.deny")}
                          </Button>
                        )}
                        <Button variant="subtle" onClick={() => void remove(one)}>
                          {t("bots.remove")}
                        </Button>
                      </span>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {isAdding && (
        <LetIn
          platform={platform}
          onClose={() => {
            setAdding(false);
            void reload();
          }}
        />
      )}
    </section>
  );
}

function LetIn({ platform, onClose }: { platform: string; onClose: () => void }) {
  const [id, setId] = useState("");
  const [name, setName] = useState("");
  const [level, setLevel] = useState<Identity["level"]>("operate");
  const [quota, setQuota] = useState<number | string>("");
  const [error, setError] = useState("");
  const add = () =>
    putIdentity({
      platform,
      external_id: id.trim(),
      level,
      quota: quota === "" ? null : Number(quota),
      ...(name.trim() ? { name: name.trim() } : {}),
    }).then(onClose, (failure: Error) => setError(failure.message));
  return (
    <Modal opened onClose={onClose} title={t("bots.letIn")} closeButtonProps={{ "aria-label": t("confirm.close") }}>
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault();
          void add();
        }}
      >
        <TextInput
          data-autofocus
          label={t("bots.id", { platform: platformName(platform) })}
          description={t("bots.idHint")}
          value={id}
          onChange={(event) => setId(event.currentTarget.value)}
        />
        <TextInput label={t("people.username")} value={name} onChange={(event) => setName(event.currentTarget.value)} />
        <NativeSelect
          label={t("bots.level")}
          value={level}
          onChange={(event) => setLevel(event.currentTarget.value as Identity["level"])}
          data={LEVELS.map((one) => ({ value: one, label: t(`bots.${one}` as TextKey) }))}
        />
        <NumberInput
          label={t("bots.quota")}
          description={t("bots.quotaHint")}
          min={1}
          allowDecimal={false}
          value={quota}
          onChange={setQuota}
        />
        {error && <p role="alert">{error}</p>}
        <div className={css.end}>
          <Button onClick={onClose}>{t("confirm.cancel")}</Button>
          <Button type="submit" variant="filled" disabled={id.trim() === ""}>
            {t("bots.letIn")}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

/** Secrets of a platform are typed where they stay: at a command line, which checks them before anything is kept. */
function AddBot({ platform, onClose }: { platform: string; onClose: () => void }) {
  const agents = useSelect((state) => state.desk.agents);
  const [agent, setAgent] = useState(Object.keys(agents)[0] ?? "");
  return (
    <Modal
      opened
      onClose={onClose}
      size="lg"
      title={t("bots.add")}
      closeButtonProps={{ "aria-label": t("confirm.close") }}
    >
      <div className={css.form}>
        <NativeSelect
          data-autofocus
          label={t("agents.name")}
          value={agent}
          onChange={(event) => setAgent(event.currentTarget.value)}
          data={Object.keys(agents)}
        />
        <p className={css.said}>{t("bots.guide", { platform: platformName(platform) })}</p>
        <Command>{`pal bridge guide ${platform}`}</Command>
        <p className={css.said}>{t("bots.bind", { agent: agent || "…" })}</p>
        <Command>{`pal console agents onboard --key ${agent || "AGENT"} --interactive`}</Command>
        <p className={css.said}>{t("bots.then")}</p>
        <Command>{`pal doctor ${platform}`}</Command>
      </div>
    </Modal>
  );
}
