import { Button, Modal, NativeSelect, PasswordInput, TextInput } from "@mantine/core";
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { listRules, revokeRule } from "../api/interactions";
import { newId } from "../state/store";
import { ago, dateTime, type TextKey, t } from "../text/text";
import { Face } from "../ui/face";
import { useNow, useSelect } from "../ui/hooks";
import { StatePill } from "../ui/state";
import type { AuditVerified, ChangeUser, Token, User } from "../wire/contract";
import { request } from "../wire/request";
import { confirm } from "./dialogs";
import { useFilters } from "./filters";
import css from "./settings.module.css";
import table from "./table.module.css";
import { tell, tellFailure } from "./tell";

export function TokensPage() {
  const queries = useQueryClient();
  const now = useNow();
  const [isAdding, setAdding] = useState(false);
  const { data: tokens = [] } = useQuery({
    queryKey: ["tokens"],
    queryFn: () => request("GET /api/tokens", { query: { limit: 200 } }).then((found) => found.tokens),
  });
  const reload = () => queries.invalidateQueries({ queryKey: ["tokens"] });
  const revoke = async (token: Token) => {
    const isSure = await confirm({
      title: t("tokens.revoke"),
      text: t("tokens.revokeAsk", { name: token.name }),
      confirm: t("tokens.revoke"),
    });
    if (isSure) await request("POST /api/tokens/{id}/revoke", { params: { id: token.id } }).then(reload, tellFailure);
  };
  return (
    <div className={css.wide}>
      <div className={css.top}>
        <Button variant="filled" onClick={() => setAdding(true)}>
          {t("tokens.add")}
        </Button>
      </div>
      <div className={table.wrap}>
        <table className={table.table}>
          <thead>
            <tr>
              <th>{t("tokens.name")}</th>
              <th>{t("tokens.kind")}</th>
              <th>{t("tokens.made")}</th>
              <th>{t("tokens.used")}</th>
              <th />
            </tr>
          </thead>
          <tbody>
            {tokens.map((token) => (
              <tr key={token.id}>
                <td>{token.name}</td>
                <td className={table.quiet}>{token.kind}</td>
                <td className={table.quiet} title={dateTime(token.created_at)}>
                  {ago(token.created_at, now)}
                </td>
                <td className={table.quiet}>
                  {token.last_used_at === null ? t("tokens.never") : ago(token.last_used_at, now)}
                </td>
                <td data-right>
                  {token.revoked_at === null ? (
                    <Button onClick={() => void revoke(token)}>{t("tokens.revoke")}</Button>
                  ) : (
                    <span className={table.quiet}>{t("tokens.ended")}</span>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {isAdding && (
        <AddToken
          onClose={() => {
            setAdding(false);
            void reload();
          }}
        />
      )}
    </div>
  );
}

function AddToken({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState("");
  const [secret, setSecret] = useState<string | null>(null);
  const [clientId] = useState(newId);
  const add = () =>
    request("POST /api/tokens", { body: { name, client_id: clientId } }).then(
      (made) => setSecret(made.secret),
      tellFailure,
    );
  return (
    <Modal opened onClose={onClose} title={t("tokens.add")} closeButtonProps={{ "aria-label": t("confirm.close") }}>
      {secret === null ? (
        <form
          className={css.form}
          onSubmit={(event) => {
            event.preventDefault();
            void add();
          }}
        >
          <TextInput
            data-autofocus
            label={t("tokens.name")}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <div className={css.end}>
            <Button type="submit" variant="filled" disabled={name.trim() === ""}>
              {t("tokens.add")}
            </Button>
          </div>
        </form>
      ) : (
        <div className={css.command}>
          <p>{t("tokens.secret")}</p>
          <pre>{secret}</pre>
          <div className={css.end}>
            <Button
              variant="filled"
              onClick={() =>
                void navigator.clipboard.writeText(secret).then(() => tell(t("confirm.copied")), tellFailure)
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

const ROLES: readonly User["role"][] = ["owner", "admin", "member", "viewer"];

export function PeoplePage() {
  const users = useSelect((state) => state.desk.users);
  const present = useSelect((state) => state.desk.present);
  const me = useSelect((state) => state.desk.me);
  const [isAdding, setAdding] = useState(false);
  const isAdmin = me.role === "owner" || me.role === "admin";
  const change = (user: User, wanted: ChangeUser) =>
    void request("PATCH /api/users/{username}", { params: { username: user.username }, body: wanted }).catch(
      tellFailure,
    );
  return (
    <div className={css.wide}>
      {isAdmin && (
        <div className={css.top}>
          <Button variant="filled" onClick={() => setAdding(true)}>
            {t("people.add")}
          </Button>
        </div>
      )}
      <div className={table.wrap}>
        <table className={table.table}>
          <tbody>
            {Object.values(users).map((user) => (
              <tr key={user.id}>
                <td>
                  <span className={table.who}>
                    <Face
                      kind="user"
                      name={user.username}
                      label={user.display_name}
                      size={26}
                      dot={present[user.username] ? "present" : null}
                    />
                    <span>
                      {user.display_name || user.username} <small>{user.username}</small>
                    </span>
                  </span>
                </td>
                <td className={table.quiet}>
                  {present[user.username] ? t("people.here") : user.disabled ? t("people.disabled") : ""}
                </td>
                <td data-right>
                  {isAdmin && user.username !== me.name ? (
                    <span className={table.actions}>
                      <NativeSelect
                        size="xs"
                        aria-label={`${user.username}: ${t("people.role")}`}
                        value={user.role}
                        onChange={(event) => change(user, { role: event.currentTarget.value as User["role"] })}
                        data={ROLES.map((role) => ({ value: role, label: role }))}
                      />
                      <Button onClick={() => change(user, { disabled: !user.disabled })}>
                        {t(user.disabled ? "people.enable" : "people.disable")}
                      </Button>
                    </span>
                  ) : (
                    <span className={table.quiet}>{user.role}</span>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {isAdding && <AddPerson onClose={() => setAdding(false)} />}
    </div>
  );
}

function AddPerson({ onClose }: { onClose: () => void }) {
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const [role, setRole] = useState<User["role"]>("member");
  const [error, setError] = useState("");
  const [clientId] = useState(newId);
  const add = () =>
    request("POST /api/users", { body: { username, password: password || null, role, client_id: clientId } }).then(
      onClose,
      (failure: Error) => setError(failure.message),
    );
  return (
    <Modal opened onClose={onClose} title={t("people.add")} closeButtonProps={{ "aria-label": t("confirm.close") }}>
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault();
          void add();
        }}
      >
        <TextInput
          data-autofocus
          label={t("people.username")}
          value={username}
          onChange={(event) => setUsername(event.currentTarget.value)}
        />
        <PasswordInput
          label={t("people.password")}
          value={password}
          autoComplete="new-password"
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        <NativeSelect
          label={t("people.role")}
          value={role}
          onChange={(event) => setRole(event.currentTarget.value as User["role"])}
          data={[...ROLES]}
        />
        {error && <p role="alert">{error}</p>}
        <div className={css.end}>
          <Button type="submit" variant="filled" disabled={username.trim() === ""}>
            {t("people.add")}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

export function ApprovalsPage() {
  const queries = useQueryClient();
  const { data: rules = [], isSuccess } = useQuery({
    queryKey: ["rules"],
    queryFn: () => listRules().then((found) => found.rules),
  });
  const open = rules.filter((rule) => rule.revoked_at === null);
  const revoke = (id: number) =>
    revokeRule(id).then(() => queries.invalidateQueries({ queryKey: ["rules"] }), tellFailure);
  if (isSuccess && open.length === 0) return <p className={table.none}>{t("approvals.none")}</p>;
  return (
    <div className={table.wrap}>
      <table className={table.table}>
        <thead>
          <tr>
            <th>{t("approvals.what")}</th>
            <th>{t("approvals.scope")}</th>
            <th>{t("approvals.by")}</th>
            <th data-right>{t("approvals.used")}</th>
            <th />
          </tr>
        </thead>
        <tbody>
          {open.map((rule) => (
            <tr key={rule.id}>
              <td className="mono">{rule.title}</td>
              <td className={table.quiet}>
                {t(`scope.${rule.scope === "project" && !rule.project ? "room" : rule.scope}` as TextKey)}{" "}
                {rule.agent ?? ""}
              </td>
              <td className={table.quiet}>{rule.made_by}</td>
              <td data-right className="num">
                {rule.used}
              </td>
              <td data-right>
                <Button onClick={() => void revoke(rule.id)}>{t("approvals.revoke")}</Button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function AuditPage() {
  const [{ q: action = "" }, set] = useFilters();
  const [verified, setVerified] = useState<AuditVerified | null>(null);
  const query = useInfiniteQuery({
    queryKey: ["audit", action],
    queryFn: ({ pageParam }) =>
      request("GET /api/audit", { query: { action: action || null, after: pageParam, limit: 100 } }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
  });
  const entries = query.data?.pages.flatMap((page) => page.audit) ?? [];
  return (
    <>
      <div className={css.top}>
        {action !== "" && (
          <Button variant="subtle" onClick={() => set({ q: "" })}>
            {t("audit.only", { action })}
          </Button>
        )}
        <span className={css.space} />
        {verified && (
          <StatePill
            status={verified.ok ? "succeeded" : "failed"}
            word={
              verified.ok
                ? t("audit.whole", { n: verified.entries })
                : t("audit.changed", { id: verified.first_changed ?? 0 })
            }
          />
        )}
        <Button onClick={() => void request("GET /api/audit/verify").then(setVerified, tellFailure)}>
          {t("audit.verify")}
        </Button>
      </div>
      {query.isSuccess && entries.length === 0 && <p className={table.none}>{t("audit.none")}</p>}
      <div className={table.wrap}>
        <table className={table.table}>
          <thead>
            <tr>
              <th>{t("audit.at")}</th>
              <th>{t("audit.actor")}</th>
              <th>{t("audit.action")}</th>
              <th>{t("audit.target")}</th>
            </tr>
          </thead>
          <tbody>
            {entries.map((entry) => (
              <tr key={entry.id}>
                <td className={`${table.quiet} num`}>{dateTime(entry.at)}</td>
                <td title={entry.actor}>{entry.actor.split(" ").slice(1).join(" ") || entry.actor}</td>
                <td className="mono">
                  <button
                    type="button"
                    className={css.plain}
                    title={t("audit.filter")}
                    onClick={() => set({ q: entry.action })}
                  >
                    {entry.action}
                  </button>
                </td>
                <td>{entry.target}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {query.hasNextPage && (
        <div className={table.more}>
          <Button onClick={() => void query.fetchNextPage()}>{t("audit.more")}</Button>
        </div>
      )}
    </>
  );
}
