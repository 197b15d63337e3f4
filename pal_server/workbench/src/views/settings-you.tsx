import { Button, NativeSelect, SegmentedControl, Switch, TextInput } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { changePreferences } from "../api/desk";
import { type TextKey, t } from "../text/text";
import { useSelect } from "../ui/hooks";
import type { ChangePreferences, Preferences } from "../wire/contract";
import { request } from "../wire/request";
import { ChatNoticesForm } from "./chat-notices";
import css from "./settings.module.css";
import { tell, tellFailure } from "./tell";
import { WebhookForm } from "./webhook";

function Row({ name, hint, children }: { name: TextKey; hint?: TextKey; children: ReactNode }) {
  return (
    <div className={css.row}>
      <span>
        {t(name)}
        {hint && <small>{t(hint)}</small>}
      </span>
      {children}
    </div>
  );
}

const set = (wanted: ChangePreferences): void =>
  void changePreferences(wanted).then(() => tell(t("settings.saved")), tellFailure);

export function YouPage() {
  const preferences = useSelect((state) => state.desk.preferences);
  const me = useSelect((state) => state.desk.me);
  const shown = useSelect((state) => state.desk.users[state.desk.me.name]?.display_name) ?? me.display_name;
  const [name, setName] = useState(shown);
  const rename = () =>
    request("PATCH /api/users/{username}", { params: { username: me.name }, body: { display_name: name } }).then(
      () => tell(t("settings.saved")),
      tellFailure,
    );
  const logOut = () => request("POST /api/logout").then(() => location.assign("/login"), tellFailure);
  return (
    <div className={css.rows}>
      <Row name="settings.name">
        <form
          className={css.inline}
          onSubmit={(event) => {
            event.preventDefault();
            void rename();
          }}
        >
          <TextInput
            aria-label={t("settings.name")}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <Button type="submit" disabled={name === shown}>
            {t("form.save")}
          </Button>
        </form>
      </Row>
      <NewPassword username={me.name} />
      <Row name="settings.theme">
        <SegmentedControl
          aria-label={t("settings.theme")}
          value={preferences.theme}
          onChange={(theme) => set({ theme: theme as Preferences["theme"] })}
          data={(["system", "light", "dark"] as const).map((value) => ({ value, label: t(`settings.${value}`) }))}
        />
      </Row>
      <Row name="settings.fontSize">
        <NativeSelect
          aria-label={t("settings.fontSize")}
          value={String(preferences.font_size)}
          onChange={(event) => set({ font_size: Number(event.currentTarget.value) })}
          data={[13, 14, 15, 16, 17, 18, 19, 20].map(String)}
        />
      </Row>
      <Row name="settings.language">
        <NativeSelect
          aria-label={t("settings.language")}
          value={preferences.language}
          onChange={(event) => set({ language: event.currentTarget.value as Preferences["language"] })}
          data={[
            { value: "system", label: t("settings.system") },
            { value: "en", label: "English" },
            { value: "zh", label: "中文" },
          ]}
        />
      </Row>
      <Row name="settings.enterSends" hint="settings.enterSendsHint">
        <Switch
          aria-label={t("settings.enterSends")}
          checked={preferences.enter_sends}
          onChange={(event) => set({ enter_sends: event.currentTarget.checked })}
        />
      </Row>
      <Row name="settings.singleKeys" hint="settings.singleKeysHint">
        <Switch
          aria-label={t("settings.singleKeys")}
          checked={preferences.single_keys}
          onChange={(event) => set({ single_keys: event.currentTarget.checked })}
        />
      </Row>
      <Row name="settings.logout">
        <Button onClick={() => void logOut()}>{t("settings.logout")}</Button>
      </Row>
    </div>
  );
}

/** Logs this person out everywhere else. */
function NewPassword({ username }: { username: string }) {
  const [password, setPassword] = useState("");
  const save = () =>
    request("PATCH /api/users/{username}", { params: { username }, body: { password } }).then(() => {
      setPassword("");
      tell(t("settings.passwordSaved"));
    }, tellFailure);
  return (
    <Row name="settings.password" hint="settings.passwordHint">
      <form
        className={css.inline}
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <input type="text" name="username" autoComplete="username" value={username} readOnly hidden />
        <TextInput
          type="password"
          autoComplete="new-password"
          aria-label={t("settings.password")}
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        <Button type="submit" disabled={password === ""}>
          {t("form.save")}
        </Button>
      </form>
    </Row>
  );
}

const WHEN = [
  ["notify_needs", "settings.notifyNeeds"],
  ["notify_mentions", "settings.notifyMentions"],
  ["notify_runs", "settings.notifyRuns"],
] as const;

export function NotificationsPage() {
  const preferences = useSelect((state) => state.desk.preferences);
  const [permission, setPermission] = useState(() => ("Notification" in window ? Notification.permission : "denied"));
  return (
    <div className={css.rows}>
      <Row name={permission === "denied" ? "settings.permissionDenied" : "settings.permission"}>
        {permission === "default" && (
          <Button variant="filled" onClick={() => void Notification.requestPermission().then(setPermission)}>
            {t("settings.permissionAsk")}
          </Button>
        )}
      </Row>
      {WHEN.map(([field, name]) => (
        <Row key={field} name={name}>
          <Switch
            aria-label={t(name)}
            checked={preferences[field]}
            onChange={(event) => set({ [field]: event.currentTarget.checked })}
          />
        </Row>
      ))}
      <Row name="settings.quiet">
        <span style={{ display: "flex", gap: 8, alignItems: "center" }}>
          <TextInput
            type="time"
            aria-label={t("settings.quietFrom")}
            value={timeOf(preferences.quiet_from)}
            onChange={(event) => setQuiet(event.currentTarget.value, timeOf(preferences.quiet_until) || "07:00")}
          />
          –
          <TextInput
            type="time"
            aria-label={t("settings.quietUntil")}
            value={timeOf(preferences.quiet_until)}
            onChange={(event) => setQuiet(timeOf(preferences.quiet_from) || "22:00", event.currentTarget.value)}
          />
        </span>
      </Row>
      <ChatNoticesForm />
      <WebhookForm />
    </div>
  );
}

function setQuiet(from: string, until: string): void {
  set(
    from && until
      ? { quiet_from: minutesOf(from), quiet_until: minutesOf(until) }
      : { quiet_from: null, quiet_until: null },
  );
}

function timeOf(minutes: number | null): string {
  if (minutes === null) return "";
  return `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
}

function minutesOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(":").map(Number);
  return hours * 60 + minutes;
}
