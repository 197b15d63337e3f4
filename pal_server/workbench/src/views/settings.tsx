import { Link, useParams } from "@tanstack/react-router";
import { type TextKey, t } from "../text/text";
import { useSelect } from "../ui/hooks";
import { Page } from "./page";
import css from "./settings.module.css";
import { ApprovalsPage, AuditPage, PeoplePage, TokensPage } from "./settings-access";
import { AgentsPage } from "./settings-agents";
import { BotsPage } from "./settings-bots";
import { ComputersPage } from "./settings-computers";
import { LinksPage } from "./settings-links";
import { NotificationsPage, YouPage } from "./settings-you";

const PAGES = {
  you: YouPage,
  notifications: NotificationsPage,
  agents: AgentsPage,
  computers: ComputersPage,
  bots: BotsPage,
  people: PeoplePage,
  tokens: TokensPage,
  links: LinksPage,
  approvals: ApprovalsPage,
  audit: AuditPage,
} as const;
type Name = keyof typeof PAGES;
const ADMINS: ReadonlySet<Name> = new Set(["audit"]);

export function SettingsView() {
  const { page = "you" } = useParams({ strict: false });
  const role = useSelect((state) => state.desk.me.role);
  const isAdmin = role === "admin" || role === "owner";
  const name = (page in PAGES ? page : "you") as Name;
  const Content = PAGES[name];
  return (
    <Page title={t("settings.title")} isPlain>
      <div className={css.settings}>
        <nav aria-label={t("settings.title")}>
          {(Object.keys(PAGES) as Name[]).map((one) => (
            <Link key={one} to="/settings/$page" params={{ page: one }} data-here={one === name || undefined}>
              {t(`settings.${one}` as TextKey)}
            </Link>
          ))}
        </nav>
        <div className={css.content}>
          <h2>{t(`settings.${name}` as TextKey)}</h2>
          {ADMINS.has(name) && !isAdmin ? <p>{t("settings.noAccess")}</p> : <Content />}
        </div>
      </div>
    </Page>
  );
}
