// Made from the server's contract by `uv run python -m tests.repo.wire`; not to be edited by hand.

export interface Account {
  id: string;
  computer: string;
  runtime: string;
  label: string;
  bin: string | null;
  home: string | null;
  env: string[];
  values: Record<string, string> | null;
  args: string[];
  disabled: boolean;
  agents: string[];
  login: "in" | "out" | "unknown" | null;
  login_method: string;
  login_seen_at: number | null;
  created_at: number;
}

export interface AccountAnswer {
  account: Account;
}

export interface AccountsAnswer {
  accounts: Account[];
  next: string | null;
}

export interface AckDelivery {
  lease_id: string;
  fence: number;
  text?: string | null;
}

export interface AddAccount {
  computer: string;
  runtime: string;
  label: string;
  bin?: string | null;
  home?: string | null;
  env?: Record<string, string>;
  args?: string[];
  client_id?: string | null;
}

export interface AddRunEvents {
  lease_id: string;
  fence: number;
  events: RunEventIn[];
  after_source?: number | null;
}

export interface AddedAnswer {
  accepted: number;
  last_seq: number;
  last_source: number | null;
}

export interface Agent {
  key: string;
  display_name: string;
  description: string;
  runtime: string;
  runtime_state: "available" | "unavailable" | "unknown";
  runtime_note: string;
  computer: string | null;
  command: string | null;
  command_allowed: boolean;
  cwd: string | null;
  model: string | null;
  effort: string | null;
  mode: "accept_edits" | "ask" | "auto" | "bypass" | "plan" | "read_only";
  instructions: string;
  skills: string[];
  servers: string[];
  settings: AgentSettings;
  isolation: string | null;
  account: string | null;
  concurrency: number;
  max_duration: number | null;
  enabled: boolean;
  created_at: number;
  updated_at: number;
}

export interface AgentAnswer {
  agent: Agent;
  outdated: number[];
}

/** What a runtime needs to know of the agent it runs. */
export interface AgentProfile {
  key: string;
  display_name: string;
  runtime: string;
  command: string | null;
  command_allowed: boolean;
  cwd: string | null;
  model: string | null;
  effort: string | null;
  instructions: string;
  account: string | null;
  max_duration: number | null;
  settings: Record<string, unknown>;
}

/** For programs with a sandbox of their own, where the mode leaves a choice. */
export interface AgentSettings {
  sandbox: "read-only" | "workspace-write" | null;
  approval: "on-request" | "untrusted" | null;
  network: boolean;
}

/** All three at once; only an admin gives the network. */
export interface AgentSettingsIn {
  sandbox?: "read-only" | "workspace-write" | null;
  approval?: "on-request" | "untrusted" | null;
  network?: boolean;
}

export interface AgentsAnswer {
  agents: Agent[];
  next: string | null;
}

export interface AllDecisionsQuery {
  after?: string | null;
  limit?: number;
  q?: string | null;
  status?: "approved" | "proposed" | "rejected" | "superseded" | null;
  project?: string | null;
}

export interface AnswerDecision {
  decision: "approve" | "deny";
  reason?: string | null;
}

export interface AnswerInteraction {
  answer?: string | null;
  answers?: Given[] | null;
  decision?: "approve" | "deny" | null;
  reason?: string | null;
  message?: number | null;
  hash?: string | null;
  scope?: "agent" | "once" | "project" | "topic";
}

export interface AppliedAnswer {
  agent: string;
  topics: number[];
}

export interface ApplyProfile {
  topic?: number | null;
}

/** One person's yes. */
export interface Approval {
  by: string;
  at: number;
}

/** A decision that holds for all requests of exactly this content. */
export interface ApprovalRule {
  id: number;
  scope: "agent" | "once" | "project" | "topic";
  room: string;
  project: string | null;
  topic: number | null;
  agent: string | null;
  decision: "approve" | "deny";
  reason: string | null;
  title: string;
  body: string;
  hash: string;
  interaction: number;
  made_by: string;
  created_at: number;
  used: number;
  used_at: number | null;
  revoked_at: number | null;
  people: number;
}

export interface ApprovalRuleAnswer {
  rule: ApprovalRule;
}

export interface ApprovalRulesAnswer {
  rules: ApprovalRule[];
  next: string | null;
}

export interface ApprovalRulesQuery {
  after?: string | null;
  limit?: number;
  agent?: string | null;
}

export interface ArtifactAnswer {
  artifact: File;
}

export interface ArtifactsAnswer {
  artifacts: File[];
  next: string | null;
}

export interface ArtifactsQuery {
  after?: string | null;
  limit?: number;
  q?: string | null;
  room?: string | null;
  run?: number | null;
  mime?: string | null;
  state?: "ended" | "live" | null;
}

/** Raised by an agent itself, with its run's token (`pal cli ask`). */
export interface AskQuestion {
  title: string;
  body?: string;
  options?: string[];
  kind?: "approval" | "plan" | "question";
  questions?: Question[];
  client_id?: string | null;
}

export interface AssignAgent {
  computer_id: string | null;
}

export interface AssignmentAnswer {
  agent: Agent;
}

export interface AuditAnswer {
  audit: AuditEntry[];
  next: string | null;
}

export interface AuditEntry {
  id: number;
  at: number;
  actor: string;
  action: string;
  target: string;
  detail: Record<string, unknown>;
  hash: string;
}

export interface AuditQuery {
  after?: string | null;
  limit?: number;
  action?: string | null;
}

export interface AuditVerified {
  ok: boolean;
  entries: number;
  first_changed: number | null;
  head: string;
}

export interface BeatAnswer {
  bots: HeldBot[];
  now: number;
}

export interface BindNativeSession {
  lease_id: string;
  fence: number;
  native_session: string | null;
  run?: number | null;
}

/** One app on a platform, bound to one agent. Credentials are never told. */
export interface Bot {
  id: string;
  platform: string;
  app_id: string;
  agent: string | null;
  label: string;
  name: string;
  bot_id: string;
  base_url: string | null;
  options: Record<string, string>;
  notify_chat: string | null;
  from_file: boolean;
  waits_for_reload: boolean;
  state: "error" | "listening" | "unbound" | "unverified";
  error: string | null;
  heard_at: number | null;
  deaf_since: number | null;
  created_at: number;
  updated_at: number;
}

export interface BotAnswer {
  bot: Bot;
  findings: Record<string, unknown>[];
}

export interface BotReport {
  id: string;
  lease_id: string;
  revision: number;
  listening: boolean;
  error?: string | null;
  heard_at?: number | null;
  deaf_since?: number | null;
}

export interface BotsAnswer {
  bots: Bot[];
  next: string | null;
}

export interface BotsQuery {
  after?: string | null;
  limit?: number;
  platform?: string | null;
}

/** A bridge lives: its bots stay its own, and those nobody holds become so. */
export interface BridgeBeat {
  platform: string;
  holder: string;
  bots?: BotReport[];
}

export interface ChangeAccount {
  disabled: boolean;
}

export interface ChangeAgent {
  display_name?: string;
  runtime?: string;
  description?: string;
  command?: string | null;
  cwd?: string | null;
  model?: string | null;
  effort?: string | null;
  mode?: "accept_edits" | "ask" | "auto" | "bypass" | "plan" | "read_only";
  instructions?: string;
  skills?: string[];
  servers?: string[];
  settings?: AgentSettingsIn;
  isolation?: string | null;
  account?: string | null;
  concurrency?: number;
  max_duration?: number | null;
  enabled?: boolean;
}

export interface ChangeChatNotices {
  needs?: boolean;
  mentions?: boolean;
  runs?: boolean;
}

export interface ChangeDoc {
  inject?: boolean;
  archived?: boolean;
}

export interface ChangePreferences {
  theme?: "dark" | "light" | "system";
  font_size?: number;
  language?: "en" | "system" | "zh";
  enter_sends?: boolean;
  single_keys?: boolean;
  notify_needs?: boolean;
  notify_mentions?: boolean;
  notify_runs?: boolean;
  quiet_from?: number | null;
  quiet_until?: number | null;
}

export interface ChangeProject {
  name?: string;
  goal?: string;
  rules?: string[];
  tech_stack?: string[];
  room?: string;
  archived?: boolean;
}

export interface ChangeRoom {
  title?: string;
  rules?: string;
  debounce_for?: number;
  digest_every?: number;
  max_duration?: number | null;
  busy?: "interrupt" | "queue" | "steer";
  deny_after?: number | null;
  approvers?: number;
  fresh?: boolean;
  hop_limit?: number;
  project?: string | null;
}

export interface ChangeSaved {
  content?: string;
  place?: number;
}

export interface ChangeTask {
  body?: string;
  acceptance?: string[];
  verification?: string;
  verification_required?: boolean;
  paths?: string[];
  references?: string[];
  owner?: string | null;
  agent?: string | null;
  type?: string;
  order?: number;
  depends_on?: string[];
  project?: string | null;
  title?: string;
  result?: string | null;
  status?: "backlog" | "cancelled" | "done" | "failed" | "in_progress" | "ready" | "review" | "waiting";
  waiting_note?: string;
  archived?: boolean;
}

export interface ChangeTopic {
  title?: string;
  archived?: boolean;
}

export interface ChangeUser {
  display_name?: string;
  role?: "admin" | "member" | "owner" | "viewer";
  password?: string;
  disabled?: boolean;
}

export interface ChangeWebhook {
  needs?: boolean;
  mentions?: boolean;
  runs?: boolean;
}

/** A chat outside in which this person is told what their browser would be told. */
export interface ChatNotices {
  place: ChatPlace | null;
  needs: boolean;
  mentions: boolean;
  runs: boolean;
  created_at: number;
  error: string | null;
}

export interface ChatNoticesAnswer {
  notices: ChatNotices | null;
  places: ChatPlace[];
}

/** A bot that can write to this person on a platform. */
export interface ChatPlace {
  bot: string;
  platform: string;
  name: string;
  agent: string;
  identity: string;
  person: string;
}

/** A repository in which runs of the computer work. */
export interface Checkout {
  root: string;
  branch: string | null;
  used_at: number;
}

export interface CheckoutIn {
  root: string;
  branch?: string | null;
  used_at: number;
}

/** What was chosen for an agent in one topic; null is what its profile says. */
export interface Choice {
  topic: number;
  agent: string;
  model: string | null;
  effort: string | null;
  mode: "accept_edits" | "ask" | "auto" | "bypass" | "plan" | "read_only" | null;
}

export interface ChoiceAnswer {
  choice: Choice;
}

/** Be told there from now on. */
export interface ChooseChat {
  bot: string;
  identity: string;
  needs?: boolean;
  mentions?: boolean;
  runs?: boolean;
}

/** What becomes of an answer that was held because something newer was said. */
export interface ChooseForDraft {
  choice: "drop" | "revise" | "send";
}

/** What becomes of an interrupted run's work. */
export interface ChooseForRun {
  choice: "drop" | "keep_files" | "resume" | "start_over";
}

/** Holds from the next turn on; null goes back to the agent's profile. */
export interface ChooseForTopic {
  model?: string | null;
  effort?: string | null;
  mode?: "accept_edits" | "ask" | "auto" | "bypass" | "plan" | "read_only" | null;
}

export interface ClaimAnswer {
  delivery: Delivery;
  lease: Lease;
  work: Work;
  now: number;
}

export interface ClaimDeliveries {
  agents?: string[] | null;
  limit?: number;
  held?: number[] | null;
}

export interface ClaimPosts {
  platform: string;
  held: HeldLease[];
  limit?: number;
  revision?: number;
  wait?: number;
}

export interface ClaimedDelivery {
  id: number;
  message: number;
  room: string;
  topic: number;
  agent: string;
  status: "acked" | "cancelled" | "claimed" | "dead" | "failed" | "interrupted" | "pending";
  reason: "all" | "direct" | "manual" | "mention" | "periodic" | "reply" | "retry" | "schedule" | "task";
  attempts: number;
  max_attempts: number;
  hop: number;
  run: number | null;
  computer: string | null;
  lease_until: number | null;
  not_before: number;
  error: string | null;
  steered_into: number | null;
  read_step: number | null;
  ahead: number;
  created_at: number;
  updated_at: number;
  lease: Lease;
  work: Work;
}

/** A post under its lease. */
export interface ClaimedPost {
  id: number;
  bot: string;
  key: string;
  kind: "card" | "file" | "reaction" | "text";
  purpose: "ask" | "message" | "notice" | "turn" | "working";
  chat: string;
  thread: string;
  part: number;
  parts: number;
  body: Record<string, unknown>;
  version: number;
  gone: boolean;
  ref: string | null;
  doubt: boolean;
  since: number | null;
  repeated: boolean;
  tries: number;
  lease_id: string;
  fence: number;
  place: "direct" | "group";
  title: string;
  memo: string;
}

export interface ClaimedPostsAnswer {
  posts: ClaimedPost[];
  revision: number;
  next_at: number | null;
  now: number;
}

export interface ClaimsAnswer {
  deliveries: ClaimedDelivery[];
  now: number;
  more: boolean;
}

export interface CleanedAnswer {
  removed: number;
}

/** A durable order to a computer; given out until it is reported done. */
export interface Command {
  id: number;
  kind: string;
  run: number | null;
  data: Record<string, unknown>;
  created_at: number;
}

export interface CommandDone {
  ok?: boolean;
  detail?: string;
}

export interface CommandsAnswer {
  found_at: number | null;
  tried_at: number | null;
  is_stale: boolean;
  error: string | null;
  agent: string;
  commands: SlashCommand[];
}

export interface CommandsQuery {
  folder?: string | null;
}

/** What a guest says. Where a room is shared it goes to `topic`, or the room's default one. */
export interface Comment {
  name: string;
  content: string;
  topic?: number | null;
  parent?: number | null;
  client_id?: string | null;
}

export interface Computer {
  id: string;
  name: string;
  status: "draining" | "offline" | "online" | "provisioned" | "revoked";
  os: string | null;
  host: string | null;
  daemon_version: string | null;
  runtimes: RuntimeState[];
  agents: string[];
  live_runs: number;
  max_runs: number;
  checkouts: Checkout[];
  last_seen_at: number | null;
  created_at: number;
}

export interface ComputerAnswer {
  computer: Computer;
}

export interface ComputersAnswer {
  computers: Computer[];
  next: string | null;
}

/** A daemon begins. `machine` identifies this computer and `$PAL_HOME`, the same across restarts. */
export interface ConnectComputer {
  machine: string;
  host?: string;
  os?: string;
  daemon_version?: string;
  runtimes?: RuntimeStateIn[];
  interval?: number;
  take_over?: boolean;
  legacy_agent?: string | null;
}

export interface ConnectedAnswer {
  computer: Computer;
  epoch: number;
  agents: string[];
  commands: Command[];
  runs: LiveRun[];
  lease_for: number;
  now: number;
}

/** Creates the agent or, when it exists, updates what is named. */
export interface CreateAgent {
  agent_key?: string | null;
  key?: string | null;
  display_name?: string | null;
  name?: string | null;
  runtime?: string | null;
  description?: string | null;
  computer_id?: string | null;
  command?: string | null;
  cwd?: string | null;
  model?: string | null;
  effort?: string | null;
  mode?: "accept_edits" | "ask" | "auto" | "bypass" | "plan" | "read_only" | null;
  instructions?: string | null;
  skills?: string[] | null;
  servers?: string[] | null;
  settings?: AgentSettingsIn | null;
  isolation?: string | null;
  account?: string | null;
  concurrency?: number | null;
  max_duration?: number | null;
  client_id?: string | null;
}

export interface CreateDelivery {
  message: number;
  agent: string;
  client_id?: string | null;
}

export interface CreateInvite {
  room: string;
  expires_at?: number | null;
  client_id?: string | null;
}

export interface CreateProject {
  key: string;
  name?: string;
  goal?: string;
  rules?: string[];
  tech_stack?: string[];
  room?: string | null;
  client_id?: string | null;
}

export interface CreateRoom {
  name: string;
  title?: string;
  rules?: string;
  visibility?: "private" | "workspace";
  ttl?: number | null;
  project?: string | null;
  client_id?: string | null;
}

export interface CreateSession {
  topic: number;
  agent: string;
  fresh?: boolean;
  client_id?: string | null;
}

/** One of `topic`, `task`, `room`, `file` and `run`. Comments go to topics and rooms alone. */
export interface CreateShare {
  topic?: number | null;
  task?: string | null;
  room?: string | null;
  file?: string | null;
  run?: number | null;
  rights?: "comment" | "view";
  may_trigger?: boolean;
  expires_at?: number | null;
  client_id?: string | null;
}

export interface CreateTask {
  body?: string;
  acceptance?: string[];
  verification?: string;
  verification_required?: boolean;
  paths?: string[];
  references?: string[];
  owner?: string | null;
  agent?: string | null;
  type?: string;
  order?: number;
  depends_on?: string[];
  title: string;
  project?: string | null;
  room?: string | null;
  status?: "backlog" | "ready" | null;
  client_id?: string | null;
}

export interface CreateToken {
  name: string;
  kind?: "bridge" | "computer" | "invite" | "run" | "session" | "share" | "user";
  user?: string | null;
  scopes?: string[];
  expires_at?: number | null;
  client_id?: string | null;
}

export interface CreateTopic {
  title?: string | null;
  client_id?: string | null;
}

export interface CreateUser {
  username: string;
  display_name?: string;
  role?: "admin" | "member" | "owner" | "viewer";
  password?: string | null;
  client_id?: string | null;
}

/** Makes it, or gives it another address and secret. */
export interface CreateWebhook {
  url: string;
  needs?: boolean;
  mentions?: boolean;
  runs?: boolean;
}

export interface CreatedInviteAnswer {
  invite: Invite;
  token: string;
  url: string;
}

export interface CreatedShareAnswer {
  share: Share;
  token: string;
  url: string;
}

export interface CreatedTokenAnswer {
  token: Token;
  secret: string;
}

export interface CreatedWebhookAnswer {
  webhook: Webhook;
  secret: string;
}

export interface Debate {
  id: string;
  topic: number;
  a: string;
  b: string;
  turns: number;
  taken: number;
  status: "finished" | "running" | "stopped";
}

export interface DebateAnswer {
  debate: Debate;
}

export interface Decision {
  id: number;
  project: string;
  code: string;
  title: string;
  rationale: string;
  status: "approved" | "proposed" | "rejected" | "superseded";
  proposed_by: string;
  supersedes: string | null;
  superseded_by: string | null;
  decided_by: string | null;
  decided_at: number | null;
  reason: string | null;
  room: string | null;
  topic: number | null;
  message: number | null;
  interaction: number | null;
  created_at: number;
  updated_at: number;
}

export interface DecisionAnswer {
  decision: Decision;
}

export interface DecisionsAnswer {
  decisions: Decision[];
  next: string | null;
}

export interface DecisionsQuery {
  after?: string | null;
  limit?: number;
  q?: string | null;
  status?: "approved" | "proposed" | "rejected" | "superseded" | null;
}

export interface DeliveriesAnswer {
  deliveries: Delivery[];
  next: string | null;
}

export interface DeliveriesQuery {
  agent?: string | null;
  status?: "acked" | "cancelled" | "claimed" | "dead" | "failed" | "interrupted" | "pending" | null;
  message?: number | null;
  room?: string | null;
  topic?: number | null;
  after?: string | null;
  limit?: number;
}

export interface Delivery {
  id: number;
  message: number;
  room: string;
  topic: number;
  agent: string;
  status: "acked" | "cancelled" | "claimed" | "dead" | "failed" | "interrupted" | "pending";
  reason: "all" | "direct" | "manual" | "mention" | "periodic" | "reply" | "retry" | "schedule" | "task";
  attempts: number;
  max_attempts: number;
  hop: number;
  run: number | null;
  computer: string | null;
  lease_until: number | null;
  not_before: number;
  error: string | null;
  steered_into: number | null;
  read_step: number | null;
  ahead: number;
  created_at: number;
  updated_at: number;
}

export interface DeliveryAnswer {
  delivery: Delivery;
}

/** A context document, without its text. */
export interface Doc {
  project: string;
  name: string;
  size: number;
  inject: boolean;
  written_by: string;
  created_at: number;
  updated_at: number;
  archived_at: number | null;
}

export interface DocAnswer {
  doc: Doc;
  content: string;
}

export interface DocsAnswer {
  docs: Doc[];
  next: string | null;
}

/** Nothing to say but that it is done. */
export interface Done {
  ok: boolean;
}

export interface Draft {
  topic: number;
  content: string;
  updated_at: number;
}

export interface DraftAnswer {
  draft: Draft;
}

/** False: take work again. */
export interface DrainComputer {
  draining?: boolean;
}

export interface DuplicateAgent {
  key: string;
  display_name?: string | null;
  client_id?: string | null;
}

export interface EditMessage {
  content: string;
  mentions?: string[];
}

/** What the agent's computer has for it in a folder. Chosen things it has not are `missing`. */
export interface EquipmentAnswer {
  found_at: number | null;
  tried_at: number | null;
  is_stale: boolean;
  error: string | null;
  agent: string;
  skills: Skill[];
  servers: ToolServer[];
  missing: string[];
}

export interface Event {
  position: number;
  kind: string;
  room: string | null;
  at: number;
  data: Record<string, unknown>;
}

export interface EventsQuery {
  after?: number | null;
}

export interface FailDelivery {
  lease_id: string;
  fence: number;
  error?: string;
  kind?: string;
}

export interface File {
  id: string;
  name: string;
  title: string;
  mime: string;
  size: number;
  sha256: string;
  url: string;
  room: string | null;
  run: number | null;
  made_by: string;
  created_at: number;
  expires_at: number | null;
  revoked_at: number | null;
}

export interface FileOffer {
  key: string;
  name: string;
  mime?: string;
  size?: number | null;
}

export interface FileRef {
  id: string;
  name: string;
  mime: string;
  size: number;
}

export interface FinishRun {
  lease_id: string;
  fence: number;
  status?: "cancelled" | "dry_run" | "failed" | "interrupted" | "paused" | "running" | "starting" | "succeeded" | "waiting" | null;
  exit_code?: number | null;
  signal?: string | null;
  error_kind?: string | null;
  error?: string | null;
  stderr?: string | null;
  text?: string | null;
  usage?: Usage | null;
  ended_at?: number | null;
  effects?: Record<string, unknown>;
  resume_at?: number | null;
}

export interface FoundItem {
  said: string;
  code: string;
  project: string;
  title: string;
  status: string;
  room: string | null;
  topic: number | null;
  message: number | null;
}

/** The answer to one question. */
export interface Given {
  chosen?: string[];
  text?: string;
}

/** A topic as a list shows it. */
export interface Glance {
  topic: Topic;
  last: LastWords | null;
  run: LastRun | null;
  agents: string[];
  read: number;
  unread: number;
}

export interface HandInFiles {
  bot: string;
  lease_id: string;
  files: string[];
  missing?: string[];
}

export interface Health {
  status: string;
  checks: Record<string, unknown>;
}

/** One thing the platform told. `event` is the same for every repeat of it. */
export interface HearEvent {
  bot: string;
  lease_id: string;
  event: string;
  kind: "action" | "command" | "deleted" | "edited" | "said";
  chat: string;
  thread?: string;
  place: "direct" | "group";
  title?: string;
  memo?: string;
  person: string;
  person_name?: string;
  others?: string[];
  at: number;
  raw?: string;
  ref?: string;
  text?: string;
  addressed?: boolean;
  reply_to?: string;
  files?: FileOffer[];
  unsupported?: string;
  token?: string;
  values?: Record<string, string | string[]>;
  name?: string;
}

/** `text` is for the one person; `files` is what is fetched next, and then handed in. */
export interface HeardAnswer {
  id: number;
  outcome: "done" | "ignored" | "refused" | "waiting";
  text: string;
  tone: "error" | "info" | "success" | "warning";
  message: number | null;
  files: Record<string, unknown>[];
  room: string;
  card: Record<string, unknown> | null;
}

export interface HeartbeatAnswer {
  agents: string[];
  commands: Command[];
  status: "draining" | "offline" | "online" | "provisioned" | "revoked";
  pending: number;
  strays: LiveRun[];
  now: number;
}

export interface HeartbeatRequest {
  running?: number[];
  runtimes?: RuntimeStateIn[] | null;
  checkouts?: CheckoutIn[] | null;
  stalled?: number[];
}

export interface HeldBot {
  id: string;
  app_id: string;
  lease_id: string;
  revision: number;
  credentials: Record<string, string> | null;
  base_url: string | null;
  options: Record<string, string>;
  bot_id: string;
  deaf_since: number | null;
  waiting: WaitingEvent[];
  places: OutsidePlace[];
}

export interface HeldLease {
  bot: string;
  lease_id: string;
}

export interface IdentitiesAnswer {
  identities: Identity[];
  next: string | null;
}

export interface IdentitiesQuery {
  after?: string | null;
  limit?: number;
  platform?: string | null;
  standing?: string | null;
}

/** Somebody on a platform. */
export interface Identity {
  id: string;
  platform: string;
  external_id: string;
  name: string;
  standing: "allowed" | "asked" | "denied";
  level: "operate" | "own" | "talk";
  quota: number | null;
  user: string | null;
  created_at: number;
}

export interface IdentityAnswer {
  identity: Identity;
}

export interface InboxAnswer {
  messages: Message[];
  items: InboxItem[];
  next: string | null;
}

export interface InboxItem {
  message: Message;
  reason: string;
  delivery: number | null;
  status: "acked" | "cancelled" | "claimed" | "dead" | "failed" | "interrupted" | "pending" | null;
}

export interface InboxQuery {
  agent?: string | null;
  after?: number | null;
  limit?: number;
}

export interface Interaction {
  id: number;
  run: number | null;
  topic: number;
  room: string;
  agent: string | null;
  kind: "approval" | "plan" | "question";
  status: "answered" | "applied" | "cancelled" | "expired" | "pending";
  title: string;
  body: string;
  options: string[];
  hash: string;
  answer: Record<string, unknown> | null;
  answered_by: string | null;
  message: number | null;
  created_at: number;
  answered_at: number | null;
  deny_at: number | null;
  folder: string;
  needs: number;
  approvals: Approval[];
  suggestion: Suggestion | null;
  version: number | null;
  questions: Question[];
  decision: number | null;
}

export interface InteractionAnswer {
  interaction: Interaction;
}

export interface InteractionApplied {
  lease_id: string;
  fence: number;
  applied?: boolean;
}

export interface InteractionsAnswer {
  interactions: Interaction[];
  next: string | null;
}

export interface InteractionsQuery {
  after?: string | null;
  limit?: number;
  status?: "answered" | "applied" | "cancelled" | "expired" | "pending" | null;
  topic?: number | null;
  run?: number | null;
  kind?: "approval" | "plan" | "question" | null;
}

export interface Invite {
  id: string;
  room: string;
  created_by: string;
  created_at: number;
  expires_at: number | null;
  revoked_at: number | null;
  uses: number;
}

export interface InviteAgent {
  agent: string;
  mode?: "all" | "mentions" | "muted" | "off" | "periodic";
  client_id?: string | null;
}

export interface InviteAnswer {
  invite: Invite;
}

export interface InviteUser {
  user: string;
  client_id?: string | null;
}

export interface InvitesAnswer {
  invites: Invite[];
  next: string | null;
}

/** One of these, by the letter of its code. */
export interface ItemAnswer {
  task: Task | null;
  decision: Decision | null;
}

/** Those that mean something to who asks. */
export interface ItemsAnswer {
  items: FoundItem[];
}

export interface ItemsQuery {
  codes: string;
}

export interface JoinRoom {
  name: string;
  client_id?: string | null;
}

export interface JoinedAnswer {
  name: string;
  room: JoinedRoom;
  token: string;
}

export interface JoinedRoom {
  id: string;
  name: string;
  title: string;
}

export interface LastRun {
  id: number;
  agent: string;
  status: "cancelled" | "dry_run" | "failed" | "interrupted" | "paused" | "running" | "starting" | "succeeded" | "waiting";
}

/** The newest message of a topic, in one line. */
export interface LastWords {
  message: number;
  sender: Sender;
  text: string;
  at: number;
}

export interface Lease {
  id: string;
  fence: number;
  until: number;
}

export interface LetGo {
  platform: string;
  holder: string;
}

/** A run the server believes this computer has. */
export interface LiveRun {
  id: number;
  delivery: number;
  agent: string;
  status: string;
  lease_id: string;
  fence: number;
  last_seq: number;
  last_source: number | null;
}

/** One of: a token, a one-time code, a name with password. */
export interface Login {
  token?: string | null;
  code?: string | null;
  username?: string | null;
  password?: string | null;
}

export interface LoginIn {
  state: "in" | "out" | "unknown";
  method?: string;
}

/** Read up to and including this message; an earlier one than before marks what follows as unread. 0: nothing. */
export interface MarkRead {
  message: number;
}

export interface Me {
  kind: string;
  name: string;
  display_name: string;
  role: "admin" | "member" | "owner" | "viewer" | null;
  workspace: string;
  agent: string | null;
  computer: string | null;
  run: number | null;
  room: string | null;
  topic: number | null;
}

export interface MeAnswer {
  me: Me;
}

export interface Member {
  kind: "agent" | "guest" | "user";
  name: string;
  display_name: string;
  mode: "all" | "mentions" | "muted" | "off" | "periodic" | null;
  role: "admin" | "member" | "owner" | "viewer" | null;
  runtime: string | null;
  joined_at: number;
}

export interface MemberAnswer {
  member: Member;
}

export interface MembersAnswer {
  members: Member[];
  next: string | null;
}

export interface Mentionable {
  name: string;
  kind: "agent" | "user";
  display_name: string;
  mode: "all" | "mentions" | "muted" | "off" | "periodic" | null;
}

export interface MentionablesAnswer {
  mentionables: Mentionable[];
  next: string | null;
}

export interface MergeDelivery {
  into: number;
}

export interface Message {
  id: number;
  room: string;
  room_name: string;
  topic: number;
  seq: number;
  parent: number | null;
  kind: "card" | "system" | "text";
  sender: Sender;
  content: string;
  mentions: string[];
  files: FileRef[];
  card: Record<string, unknown> | null;
  run: number | null;
  client_id: string | null;
  created_at: number;
  edited_at: number | null;
  deleted_at: number | null;
}

export interface MessageAnswer {
  message: Message;
}

export interface MessagesAnswer {
  messages: Message[];
  next: string | null;
}

export interface MessagesQuery {
  room?: string | null;
  chat?: string | null;
  topic?: number | null;
  parent?: number | null;
  after?: number | null;
  before?: number | null;
  q?: string | null;
  limit?: number;
}

/** One a program offers. Others pass through as they are named. */
export interface Model {
  id: string;
  name: string;
  efforts: string[];
  is_default: boolean;
}

export interface ModelIn {
  id: string;
  name?: string;
  efforts?: string[];
  is_default?: boolean;
}

export interface ModelsAnswer {
  found_at: number | null;
  tried_at: number | null;
  is_stale: boolean;
  error: string | null;
  models: Model[];
}

/** A body that says nothing: empty, or `{}`. */
export interface Nothing {
}

/** Raised by a run through its daemon. `key` is the program's own id; the same one again is the same interaction. */
export interface OpenInteraction {
  lease_id: string;
  fence: number;
  key: string;
  kind: "approval" | "plan" | "question";
  title: string;
  body?: string;
  options?: string[];
  folder?: string;
  questions?: Question[];
  client_id?: string | null;
}

/** With a lease: open a run for a delivery. Without: hand in a finished run of an external client (DR-24). */
export interface OpenRun {
  delivery_id?: number | null;
  lease_id?: string | null;
  fence?: number | null;
  dry_run?: boolean;
  agent?: string | null;
  topic?: number | null;
  status?: "cancelled" | "dry_run" | "failed" | "interrupted" | "paused" | "running" | "starting" | "succeeded" | "waiting" | null;
  text?: string | null;
  started_at?: number | null;
  ended_at?: number | null;
  client_id?: string | null;
}

/** A shell, or with kind `agent` the agent's program in its interactive form, going on with its conversation. */
export interface OpenTerminal {
  room: string;
  topic?: number | null;
  kind?: "agent" | "shell";
  agent?: string | null;
  computer?: string | null;
  folder?: string | null;
  cols?: number;
  rows?: number;
  client_id?: string | null;
}

export interface OpenedAnswer {
  run: Run;
  token: string;
}

export interface Option {
  label: string;
  description: string;
  preview: string;
}

export interface OutsidePlace {
  chat: string;
  thread: string;
  kind: "direct" | "group";
  title: string;
  memo: string;
}

/** Paging of every list: give `next` of one page back as `after` for the following one. */
export interface Page {
  after?: string | null;
  limit?: number;
}

export interface PathsAnswer {
  agent: string;
  computer: string;
  paths: string[];
  total: number;
}

/** Which files of an agent's folder are meant by these letters; without any, the first ones. */
export interface PathsQuery {
  agent: string;
  q?: string;
  limit?: number;
}

/** Something a platform told, in its own words as far as these are kept. */
export interface PlatformEvent {
  id: number;
  platform: string;
  app_id: string;
  bot: string;
  event: string;
  kind: "action" | "command" | "deleted" | "edited" | "said";
  chat: string;
  thread: string;
  person: string;
  outcome: "done" | "ignored" | "refused" | "waiting";
  message: number | null;
  said_at: number;
  received_at: number;
  raw: string;
}

export interface PlatformEventsAnswer {
  events: PlatformEvent[];
  next: string | null;
}

export interface PlatformEventsQuery {
  after?: string | null;
  limit?: number;
  platform?: string | null;
}

/** One visible part outside. */
export interface Post {
  id: number;
  bot: string;
  chat: string;
  thread: string;
  key: string;
  kind: "card" | "file" | "reaction" | "text";
  purpose: "ask" | "message" | "notice" | "turn" | "working";
  message: number | null;
  delivery: number | null;
  interaction: number | null;
  part: number;
  parts: number;
  state: "confirmed" | "doubtful" | "failed" | "pending" | "sending";
  ref: string | null;
  repeated: boolean;
  tries: number;
  not_before: number;
  error: string | null;
  created_at: number;
  updated_at: number;
}

export interface PostAnswer {
  post: Post;
}

export interface PostsAnswer {
  posts: Post[];
  next: string | null;
}

export interface PostsQuery {
  after?: string | null;
  limit?: number;
  platform?: string | null;
  state?: string | null;
}

export interface Preferences {
  theme: "dark" | "light" | "system";
  font_size: number;
  language: "en" | "system" | "zh";
  enter_sends: boolean;
  single_keys: boolean;
  notify_needs: boolean;
  notify_mentions: boolean;
  notify_runs: boolean;
  quiet_from: number | null;
  quiet_until: number | null;
}

export interface PreferencesAnswer {
  preferences: Preferences;
}

/** The computer is asked to look; it does so when it is there. */
export interface ProbeAnswer {
  computer: string;
  is_online: boolean;
  position: number;
}

/** What went wrong: a closed `code`, a sentence that helps, and facts that carry values. */
export interface Problem {
  code: string;
  message: string;
  facts: Record<string, unknown>;
  request_id: string;
}

export interface ProblemAnswer {
  error: Problem;
}

export interface Project {
  id: string;
  key: string;
  name: string;
  goal: string;
  rules: string[];
  tech_stack: string[];
  default_room: string;
  created_at: number;
  updated_at: number;
  archived_at: number | null;
}

export interface ProjectAnswer {
  project: Project;
}

export interface ProjectsAnswer {
  projects: Project[];
  next: string | null;
}

/** A topic of a project's room becomes a task; its title stays. */
export interface PromoteTopic {
  body?: string;
  acceptance?: string[];
  verification?: string;
  verification_required?: boolean;
  paths?: string[];
  references?: string[];
  owner?: string | null;
  agent?: string | null;
  type?: string;
  order?: number;
  depends_on?: string[];
  client_id?: string | null;
}

/** What the run was told. */
export interface PromptAnswer {
  prompt: string;
}

export interface ProposeDecision {
  title: string;
  rationale?: string;
  topic?: number | null;
  supersedes?: string | null;
  client_id?: string | null;
}

export interface ProvisionComputer {
  name: string;
  server_url?: string | null;
  client_id?: string | null;
}

export interface ProvisionedAnswer {
  computer: Computer;
  api_key: string;
  command: string;
}

export interface PutIdentity {
  platform: string;
  external_id: string;
  name?: string | null;
  allowed?: boolean;
  level?: string | null;
  quota?: number | null;
  user?: string | null;
}

export interface Question {
  text: string;
  header: string;
  options: Option[];
  multiple: boolean;
  free: boolean;
}

/** How much of a login's subscription is used, as its program told last. */
export interface Quota {
  found_at: number | null;
  tried_at: number | null;
  is_stale: boolean;
  error: string | null;
  computer: string;
  runtime: string;
  account: string | null;
  windows: QuotaWindow[];
}

export interface QuotaWindow {
  name: string;
  used_percent: number | null;
  resets_at: number | null;
}

export interface QuotasAnswer {
  quotas: Quota[];
}

export interface ReadAnswer {
  read: ReadMark;
}

export interface ReadMark {
  topic: number;
  message: number;
}

export interface RebuiltAnswer {
  run: Run;
  changed: boolean;
}

/** Part of the log of an ended run, read again from the spool, in order; `seq` counts from 1 anew. */
export interface RebuiltPart {
  command: number;
  events: RunEventIn[];
  first?: boolean;
  last?: boolean;
  partial?: boolean;
}

/** What happens now with a message for one agent, and why, in words. */
export interface Receipt {
  agent: string;
  outcome: "done" | "held" | "interrupts" | "merged" | "offline" | "queued" | "read" | "refused" | "saved" | "started" | "steered";
  text: string;
  delivery: number | null;
  place: number | null;
  interaction: number | null;
}

export interface RecordVerification {
  command: string;
  exit_code: number;
  output?: string;
  project?: string | null;
  client_id?: string | null;
}

/** Seed form of `connect`, with a computer's id in the body. */
export interface RegisterDaemon {
  computer_id?: string | null;
  machine?: string;
  host?: string;
  os?: string;
  daemon_version?: string;
}

export interface ReleaseDelivery {
  lease_id: string;
  fence: number;
  reason?: string;
  delay_for?: number;
  burn_attempt?: boolean;
}

export interface ReloadedAnswer {
  bots: Bot[];
  file: string | null;
}

export interface RemoveIdentity {
  platform: string;
  external_id: string;
}

export interface RenewAnswer {
  lease: Lease;
  now: number;
}

/** What a daemon found. A list that is left out was not looked for; `errors` says which look failed, and why. */
export interface ReportFindings {
  runtime: string;
  account?: string | null;
  agent?: string | null;
  folder?: string | null;
  login?: LoginIn | null;
  models?: ModelIn[] | null;
  commands?: SlashCommandIn[] | null;
  skills?: SkillIn[] | null;
  servers?: ToolServerIn[] | null;
  errors?: Record<string, string>;
}

export interface ReportPid {
  lease_id: string;
  fence: number;
  pid: number;
}

export interface ReportResult {
  status: string;
  summary: string;
  blockers?: string[];
  next_steps?: string[];
}

export interface RetryDelivery {
  fresh?: boolean;
}

export interface Room {
  id: string;
  name: string;
  title: string;
  rules: string;
  visibility: "private" | "workspace";
  seq: number;
  default_topic: number;
  busy: "interrupt" | "queue" | "steer";
  deny_after: number | null;
  approvers: number;
  fresh: boolean;
  hop_limit: number;
  project: string | null;
  created_at: number;
  archived_at: number | null;
  expires_at: number | null;
}

export interface RoomAnswer {
  room: Room;
}

export interface RoomsAnswer {
  rooms: Room[];
  next: string | null;
}

export interface RotatedAnswer {
  computer: Computer;
  api_key: string;
  command: string;
}

export interface Run {
  id: number;
  delivery: number | null;
  agent: string;
  computer: string | null;
  room: string;
  topic: number;
  message: number | null;
  session: string;
  status: "cancelled" | "dry_run" | "failed" | "interrupted" | "paused" | "running" | "starting" | "succeeded" | "waiting";
  pid: number | null;
  exit_code: number | null;
  signal: string | null;
  error_kind: string | null;
  error: string | null;
  stderr: string | null;
  restart_of: number | null;
  stalled_since: number | null;
  result: Record<string, unknown> | null;
  last_seq: number;
  last_source: number | null;
  usage: Usage | null;
  resume_at: number | null;
  wanted: string | null;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
  duration_ms: number | null;
}

export interface RunAction {
  reason?: string;
}

export interface RunAnswer {
  run: Run;
  summary: RunSummary | null;
}

export interface RunEvent {
  run: number;
  seq: number;
  kind: string;
  at: number;
  text: string | null;
  lane: string;
  data: Record<string, unknown>;
}

export interface RunEventIn {
  seq: number;
  kind: string;
  at?: number | null;
  text?: string | null;
  source?: number | null;
  lane?: string;
  data?: Record<string, unknown>;
}

export interface RunEventsAnswer {
  events: RunEvent[];
  next: string | null;
}

export interface RunEventsQuery {
  after?: number;
  before?: number | null;
  limit?: number;
}

/** The run is now running, waiting or paused. */
export interface RunState {
  lease_id: string;
  fence: number;
  status: "cancelled" | "dry_run" | "failed" | "interrupted" | "paused" | "running" | "starting" | "succeeded" | "waiting";
  resume_at?: number | null;
}

/** What of a run fits beside its name. */
export interface RunSummary {
  todo: Record<string, unknown>[];
  done: number;
  plan: string | null;
  plan_seq: number | null;
  files: SentFile[];
  cost_usd: number | null;
  duration_ms: number | null;
}

export interface RunsAnswer {
  runs: Run[];
  next: string | null;
}

export interface RunsQuery {
  after?: string | null;
  limit?: number;
  agent?: string | null;
  computer?: string | null;
  room?: string | null;
  topic?: number | null;
  status?: "cancelled" | "dry_run" | "failed" | "interrupted" | "paused" | "running" | "starting" | "succeeded" | "waiting" | null;
  since?: number | null;
  until?: number | null;
}

/** What a computer says of one runtime. */
export interface RuntimeState {
  name: string;
  available: boolean;
  version: string | null;
  note: string;
  capabilities: Record<string, boolean>;
  login: "in" | "out" | "unknown" | null;
  login_method: string;
  install: string;
}

export interface RuntimeStateIn {
  name: string;
  available: boolean;
  version?: string | null;
  note?: string;
  capabilities?: Record<string, boolean>;
  login?: "in" | "out" | "unknown" | null;
  login_method?: string;
  install?: string;
}

/** Bind, move or change a bot. Credentials are checked with the platform before anything is saved. */
export interface SaveBot {
  platform: string;
  app_id?: string | null;
  credentials?: Record<string, string>;
  agent?: string | null;
  label?: string;
  base_url?: string | null;
  options?: Record<string, string>;
  notify_chat?: string | null;
  rebind?: boolean;
  reload?: boolean;
  verify?: boolean;
}

export interface SaveForLater {
  topic: number;
  content: string;
  client_id?: string | null;
}

/** The same name again gets the new words. */
export interface SavePrompt {
  content: string;
}

/** A message to be sent later. */
export interface Saved {
  id: number;
  topic: number;
  content: string;
  place: number;
  created_at: number;
}

export interface SavedAnswer {
  saved: Saved;
}

/** What a person says again and again, under a name of their own. */
export interface SavedPrompt {
  name: string;
  content: string;
  updated_at: number;
}

export interface SavedPromptAnswer {
  saved_prompt: SavedPrompt;
}

export interface SendMessage {
  room?: string | null;
  chat?: string | null;
  topic?: number | null;
  parent?: number | null;
  sender?: string | null;
  mentions?: string[];
  content?: string;
  files?: string[];
  steer?: "interrupt" | "queue" | "steer" | null;
  client_id?: string | null;
}

/** Say something through a bot. */
export interface SendPost {
  platform: string;
  app_id: string;
  to: string;
  text: string;
  client_id?: string | null;
}

export interface Sender {
  kind: "agent" | "guest" | "system" | "user";
  name: string;
  display_name: string;
  origin: string;
}

export interface SentAnswer {
  message: Message;
  deliveries: SentDelivery[];
  unresolved_mentions: string[];
  receipts: Receipt[];
}

export interface SentDelivery {
  id: number;
  agent: string;
  status: "acked" | "cancelled" | "claimed" | "dead" | "failed" | "interrupted" | "pending";
  reason: "all" | "direct" | "manual" | "mention" | "periodic" | "reply" | "retry" | "schedule" | "task";
}

export interface SentFile {
  id: string;
  name: string;
  mime: string;
  size: number;
  url: string;
}

export interface Session {
  id: string;
  topic: number;
  agent: string;
  computer: string | null;
  generation: number;
  native_session: string | null;
  is_outdated: boolean;
  created_at: number;
}

export interface SessionAnswer {
  session: Session;
}

export interface SessionsAnswer {
  sessions: Session[];
  next: string | null;
}

export interface SessionsQuery {
  after?: string | null;
  limit?: number;
  topic?: number | null;
  agent?: string | null;
}

export interface SettlePost {
  lease_id: string;
  fence: number;
  result: "anew" | "doubt" | "later" | "refused" | "sent";
  ref?: string | null;
  version?: number | null;
  after?: number;
  reason?: string;
  repeated?: boolean;
  shown_hash?: string | null;
}

export interface Share {
  id: string;
  kind: "file" | "room" | "run" | "topic";
  target: string;
  rights: "comment" | "view";
  may_trigger: boolean;
  created_by: string;
  created_at: number;
  expires_at: number | null;
  revoked_at: number | null;
  uses: number;
  last_used_at: number | null;
}

export interface ShareAnswer {
  share: Share;
}

/** What the link shows; the others are null. Files are under `/api/shared/{token}/files/{file}`. */
export interface SharedAnswer {
  shared: SharedThing;
  room: SharedRoom | null;
  topic: SharedTopic | null;
  task: SharedTask | null;
  run: SharedRun | null;
  summary: RunSummary | null;
  file: File | null;
}

export interface SharedMessagesQuery {
  topic?: number | null;
  after?: number | null;
  before?: number | null;
  limit?: number;
}

export interface SharedRoom {
  id: string;
  name: string;
  title: string;
}

export interface SharedRun {
  id: number;
  agent: string;
  status: "cancelled" | "dry_run" | "failed" | "interrupted" | "paused" | "running" | "starting" | "succeeded" | "waiting";
  error: string | null;
  result: Record<string, unknown> | null;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
  duration_ms: number | null;
}

/** The plan of a shared topic that is a task. */
export interface SharedTask {
  code: string;
  status: "backlog" | "cancelled" | "done" | "failed" | "in_progress" | "ready" | "review" | "waiting";
  body: string;
  acceptance: string[];
}

/** The link as its visitors see it. */
export interface SharedThing {
  kind: "file" | "room" | "run" | "topic";
  title: string;
  rights: "comment" | "view";
  may_trigger: boolean;
  by: string;
  expires_at: number | null;
}

export interface SharedTopic {
  id: number;
  title: string;
}

/** Oldest first. */
export interface SharedTopicsQuery {
  after?: string | null;
  limit?: number;
}

export interface SharesAnswer {
  shares: Share[];
  next: string | null;
}

export interface Skill {
  name: string;
  description: string;
  source: "home" | "pal" | "project";
  selected: boolean;
}

/** A text that tells an agent how to do something; `source` is where it lies: project, home or pal. */
export interface SkillIn {
  name: string;
  description?: string;
  source?: "home" | "pal" | "project";
}

/** `/name hint`: said to the agent. */
export interface SlashCommand {
  name: string;
  description: string;
  hint: string;
  source: "pal" | "program" | "prompt" | "skill";
}

export interface SlashCommandIn {
  name: string;
  description?: string;
  hint?: string;
  source?: "program" | "prompt";
}

/** What one sees, at one position of the log: with the events after it a client stays up to date. */
export interface Snapshot {
  position: number;
  now: number;
  me: Me;
  users: User[];
  present: string[];
  projects: Project[];
  rooms: Room[];
  topics: Glance[];
  agents: Agent[];
  computers: Computer[];
  runs: Run[];
  interactions: Interaction[];
  deliveries: Delivery[];
  terminals: Terminal[];
  drafts: Draft[];
  saved: Saved[];
  saved_prompts: SavedPrompt[];
  preferences: Preferences;
}

export interface SnapshotAnswer {
  snapshot: Snapshot;
}

export interface SplitPost {
  lease_id: string;
  fence: number;
  version: number;
  parts: string[];
  as_file?: boolean;
}

/** Two agents take turns in a new topic; `a` begins. `turns` counts the agents' messages. */
export interface StartDebate {
  room: string;
  a: string;
  b: string;
  subject: string;
  turns?: number;
  client_id?: string | null;
}

export interface StartTask {
  project?: string | null;
  agent?: string | null;
  text?: string;
  force?: boolean;
  client_id?: string | null;
}

export interface StartedTask {
  task: Task;
  message: Message;
  delivery: number;
  receipt: Receipt;
}

export interface SteerRun {
  text: string;
}

export interface SteeredAnswer {
  run: Run;
  message: Message;
  receipt: Receipt;
}

/** People approved exactly this so many times in a row: a decision with this `scope` would end the asking. */
export interface Suggestion {
  scope: "agent" | "once" | "project" | "topic";
  times: number;
}

export interface SummedRun {
  run: Run;
  summary: RunSummary;
}

export interface SupersedeDecision {
  by?: string | null;
}

/** The end of a topic, oldest first. */
export interface TailAnswer {
  messages: Message[];
  before: number | null;
  last_said: Message | null;
  runs: SummedRun[];
  events: RunEvent[];
  events_before: number | null;
}

export interface TailQuery {
  limit?: number;
  events?: number;
}

export interface Task {
  id: string;
  code: string;
  project: string;
  topic: number;
  room: string;
  title: string;
  body: string;
  acceptance: string[];
  verification: string;
  verification_required: boolean;
  paths: string[];
  references: string[];
  owner: string | null;
  agent: string | null;
  type: string;
  order: number;
  depends_on: string[];
  blocked_by: string[];
  is_ready: boolean;
  status: "backlog" | "cancelled" | "done" | "failed" | "in_progress" | "ready" | "review" | "waiting";
  waiting_reason: "agent_blocked" | "by_hand" | "error" | "interaction" | null;
  waiting_note: string;
  last_outcome: "cancelled" | "dead" | "failed" | "interrupted" | "succeeded" | null;
  result: TaskResult | null;
  verified_at: number | null;
  created_at: number;
  updated_at: number;
  archived_at: number | null;
}

export interface TaskAnswer {
  task: Task;
}

export interface TaskQuery {
  project?: string | null;
}

export interface TaskResult {
  status: "blocked" | "done" | "needs_input";
  summary: string;
  blockers: string[];
  next_steps: string[];
  run: number | null;
}

export interface TasksAnswer {
  tasks: Task[];
  next: string | null;
}

export interface TasksQuery {
  after?: string | null;
  limit?: number;
  project?: string | null;
  topic?: number | null;
  status?: "backlog" | "cancelled" | "done" | "failed" | "in_progress" | "ready" | "review" | "waiting" | null;
  agent?: string | null;
  owner?: string | null;
  type?: string | null;
  q?: string;
  archived?: boolean;
}

export interface Terminal {
  id: string;
  kind: "agent" | "shell";
  room: string;
  topic: number;
  computer: string;
  agent: string | null;
  folder: string | null;
  cols: number;
  rows: number;
  state: "closed" | "closing" | "failed" | "open" | "opening";
  reason: string | null;
  exit: number | null;
  opened_by: string;
  created_at: number;
  opened_at: number | null;
  closed_at: number | null;
  last_used: number;
}

export interface TerminalAnswer {
  terminal: Terminal;
}

/** The last frame, after the last byte of output. */
export interface TerminalClosed {
  type: "closed";
  reason: string | null;
  exit: number | null;
}

/** The first frame; output follows from position `from` on. */
export interface TerminalHello {
  type: "hello";
  terminal: Terminal;
  may_type: boolean;
  cols: number;
  rows: number;
  from: number;
  typed: number | null;
}

/** From a viewer who may type; on to the daemon as it is. */
export interface TerminalResize {
  type: "resize";
  cols: number;
  rows: number;
}

/** Its size is another now. Whoever changed it last decides for all. */
export interface TerminalSize {
  type: "size";
  cols: number;
  rows: number;
}

export interface TerminalStateChange {
  type: "state";
  state: "closed" | "closing" | "failed" | "open" | "opening";
  reason: string | null;
}

/** To a viewer who named a typist: so many bytes of theirs have been taken, all that they ever typed counted. */
export interface TerminalTyped {
  type: "typed";
  bytes: number;
}

/** `from`: the position of the first byte one does not have yet. */
export interface TerminalWatchQuery {
  from?: number | null;
  typist?: string | null;
}

export interface TerminalsAnswer {
  terminals: Terminal[];
  next: string | null;
}

/** Newest first. Only those that live, unless `all`. */
export interface TerminalsQuery {
  room?: string | null;
  topic?: number | null;
  all?: boolean;
  after?: string | null;
  limit?: number;
}

export interface Token {
  id: string;
  kind: "bridge" | "computer" | "invite" | "run" | "session" | "share" | "user";
  name: string;
  subject: string;
  scopes: string[];
  created_at: number;
  expires_at: number | null;
  last_used_at: number | null;
  revoked_at: number | null;
}

export interface TokenAnswer {
  token: Token;
}

export interface TokensAnswer {
  tokens: Token[];
  next: string | null;
}

export interface ToolServer {
  name: string;
  source: "home" | "pal" | "project";
  selected: boolean;
}

/** A server of tools (MCP) that is configured on the computer; what starts it stays there. */
export interface ToolServerIn {
  name: string;
  source?: "home" | "pal" | "project";
}

export interface Topic {
  id: number;
  room: string;
  title: string;
  is_placeholder: boolean;
  is_default: boolean;
  created_at: number;
  last_message_at: number | null;
  archived_at: number | null;
}

export interface TopicAnswer {
  topic: Topic;
}

export interface TopicCommandsAnswer {
  agents: CommandsAnswer[];
}

export interface TopicsAnswer {
  topics: Topic[];
  next: string | null;
}

export interface TraceAnswer {
  message: number;
  steps: TraceStep[];
  broken: string | null;
  advice: string | null;
}

/** One link of the way from message to answer, in plain words. */
export interface TraceStep {
  at: number | null;
  what: string;
  text: string;
  ok: boolean | null;
  facts: Record<string, unknown>;
}

export interface UnbindBots {
  agent: string;
  platform?: string | null;
}

export interface UnderLease {
  lease_id: string;
  fence: number;
}

export interface UnderPostLease {
  lease_id: string;
  fence: number;
}

/** The body is the file itself; what describes it is in the query. */
export interface UploadQuery {
  name: string;
  mime?: string | null;
  title?: string;
  ttl?: number | null;
  card?: boolean;
  room?: string | null;
  client_id?: string | null;
}

export interface Usage {
  user_ms: number | null;
  system_ms: number | null;
  max_rss_kib: number | null;
  input_tokens: number | null;
  output_tokens: number | null;
  cost_usd: number | null;
}

export interface UsageAnswer {
  usage: Used[];
  total: Used;
  since: number;
  until: number;
  next: string | null;
}

export interface UsageQuery {
  after?: string | null;
  limit?: number;
  by?: "agent" | "day" | "project" | "room";
  agent?: string | null;
  room?: string | null;
  project?: string | null;
  since?: number | null;
  until?: number | null;
  utc_offset?: number;
}

/** Sums over ended runs. What a run did not say is not in them; the counts beside tell how many said it. */
export interface Used {
  key: string;
  name: string;
  runs: number;
  failed: number;
  input_tokens: number;
  output_tokens: number;
  with_tokens: number;
  cost_usd: number;
  with_cost: number;
  duration_ms: number;
}

export interface User {
  id: string;
  username: string;
  display_name: string;
  role: "admin" | "member" | "owner" | "viewer";
  disabled: boolean;
  created_at: number;
}

export interface UserAnswer {
  user: User;
}

export interface UsersAnswer {
  users: User[];
  next: string | null;
}

export interface Verification {
  id: number;
  command: string;
  exit_code: number;
  passed: boolean;
  output: string;
  by: string;
  run: number | null;
  created_at: number;
}

export interface VerificationsAnswer {
  verifications: Verification[];
  next: string | null;
}

export interface VerificationsQuery {
  after?: string | null;
  limit?: number;
  project?: string | null;
}

export interface VerifiedAnswer {
  task: Task;
  verification: Verification;
}

export interface Version {
  name: string;
  version: string;
  protocol: number;
}

/** A message whose files were not fetched yet when the bridge before this one ended. */
export interface WaitingEvent {
  id: number;
  ref: string;
  files: Record<string, unknown>[];
  room: string;
}

/** An address that is told what this person's browser would be told. */
export interface Webhook {
  url: string;
  needs: boolean;
  mentions: boolean;
  runs: boolean;
  created_at: number;
  error: string | null;
  failed_at: number | null;
}

export interface WebhookAnswer {
  webhook: Webhook | null;
}

/** Everything needed to start the run: the composed prompt and who runs where. */
export interface Work {
  agent: AgentProfile;
  prompt: string;
  content: string;
  slash: string | null;
  room: string;
  room_name: string;
  topic: number;
  message: number;
  session: string;
  native_session: string | null;
  recap: string;
  generation: number;
  files: Record<string, unknown>[];
  restart_of: number | null;
  resume: boolean;
  env: Record<string, string>;
}

/** Anew, or in place of what stood there; an archived one is back. */
export interface WriteDoc {
  content: string;
  inject?: boolean;
}

/** Empty: there is no draft any more. */
export interface WriteDraft {
  content: string;
}

/** Body and answer of every route that speaks JSON. */
export interface Routes {
  "GET /api/version": { body: undefined; answer: Version };
  "POST /api/login": { body: Login; answer: MeAnswer };
  "POST /api/logout": { body: Nothing; answer: Done };
  "GET /api/me": { body: undefined; answer: MeAnswer };
  "GET /api/users": { body: undefined; answer: UsersAnswer };
  "POST /api/users": { body: CreateUser; answer: UserAnswer };
  "PATCH /api/users/{username}": { body: ChangeUser; answer: UserAnswer };
  "GET /api/tokens": { body: undefined; answer: TokensAnswer };
  "POST /api/tokens": { body: CreateToken; answer: CreatedTokenAnswer };
  "POST /api/tokens/{id}/revoke": { body: Nothing; answer: TokenAnswer };
  "GET /api/audit": { body: undefined; answer: AuditAnswer };
  "GET /api/audit/verify": { body: undefined; answer: AuditVerified };
  "GET /api/snapshot": { body: undefined; answer: SnapshotAnswer };
  "POST /api/presence": { body: Nothing; answer: Done };
  "PATCH /api/preferences": { body: ChangePreferences; answer: PreferencesAnswer };
  "GET /api/webhook": { body: undefined; answer: WebhookAnswer };
  "POST /api/webhook": { body: CreateWebhook; answer: CreatedWebhookAnswer };
  "PATCH /api/webhook": { body: ChangeWebhook; answer: WebhookAnswer };
  "DELETE /api/webhook": { body: Nothing; answer: WebhookAnswer };
  "GET /api/chat-notices": { body: undefined; answer: ChatNoticesAnswer };
  "POST /api/chat-notices": { body: ChooseChat; answer: ChatNoticesAnswer };
  "PATCH /api/chat-notices": { body: ChangeChatNotices; answer: ChatNoticesAnswer };
  "DELETE /api/chat-notices": { body: Nothing; answer: ChatNoticesAnswer };
  "POST /api/topics/{id}/read": { body: MarkRead; answer: ReadAnswer };
  "PUT /api/topics/{id}/draft": { body: WriteDraft; answer: DraftAnswer };
  "POST /api/saved": { body: SaveForLater; answer: SavedAnswer };
  "PATCH /api/saved/{id}": { body: ChangeSaved; answer: SavedAnswer };
  "DELETE /api/saved/{id}": { body: Nothing; answer: SavedAnswer };
  "PUT /api/saved-prompts/{name}": { body: SavePrompt; answer: SavedPromptAnswer };
  "DELETE /api/saved-prompts/{name}": { body: Nothing; answer: SavedPromptAnswer };
  "GET /api/projects": { body: undefined; answer: ProjectsAnswer };
  "POST /api/projects": { body: CreateProject; answer: ProjectAnswer };
  "GET /api/projects/{project}": { body: undefined; answer: ProjectAnswer };
  "PATCH /api/projects/{project}": { body: ChangeProject; answer: ProjectAnswer };
  "GET /api/tasks": { body: undefined; answer: TasksAnswer };
  "POST /api/tasks": { body: CreateTask; answer: TaskAnswer };
  "GET /api/tasks/{task}": { body: undefined; answer: TaskAnswer };
  "PATCH /api/tasks/{task}": { body: ChangeTask; answer: TaskAnswer };
  "DELETE /api/tasks/{task}": { body: Nothing; answer: TaskAnswer };
  "POST /api/tasks/{task}/start": { body: StartTask; answer: StartedTask };
  "GET /api/tasks/{task}/verifications": { body: undefined; answer: VerificationsAnswer };
  "POST /api/tasks/{task}/verifications": { body: RecordVerification; answer: VerifiedAnswer };
  "GET /api/projects/{project}/items/{code}": { body: undefined; answer: ItemAnswer };
  "GET /api/items": { body: undefined; answer: ItemsAnswer };
  "POST /api/topics/{id}/task": { body: PromoteTopic; answer: TaskAnswer };
  "GET /api/projects/{project}/docs": { body: undefined; answer: DocsAnswer };
  "GET /api/projects/{project}/docs/{doc}": { body: undefined; answer: DocAnswer };
  "PUT /api/projects/{project}/docs/{doc}": { body: WriteDoc; answer: DocAnswer };
  "PATCH /api/projects/{project}/docs/{doc}": { body: ChangeDoc; answer: DocAnswer };
  "GET /api/decisions": { body: undefined; answer: DecisionsAnswer };
  "GET /api/projects/{project}/decisions": { body: undefined; answer: DecisionsAnswer };
  "POST /api/projects/{project}/decisions": { body: ProposeDecision; answer: DecisionAnswer };
  "GET /api/projects/{project}/decisions/{decision}": { body: undefined; answer: DecisionAnswer };
  "POST /api/projects/{project}/decisions/{decision}/answer": { body: AnswerDecision; answer: DecisionAnswer };
  "POST /api/projects/{project}/decisions/{decision}/supersede": { body: SupersedeDecision; answer: DecisionAnswer };
  "GET /api/rooms": { body: undefined; answer: RoomsAnswer };
  "POST /api/rooms": { body: CreateRoom; answer: RoomAnswer };
  "GET /api/chats": { body: undefined; answer: RoomsAnswer };
  "GET /api/rooms/{room}": { body: undefined; answer: RoomAnswer };
  "PATCH /api/rooms/{room}": { body: ChangeRoom; answer: RoomAnswer };
  "GET /api/rooms/{room}/members": { body: undefined; answer: MembersAnswer };
  "GET /api/rooms/{room}/mentionables": { body: undefined; answer: MentionablesAnswer };
  "POST /api/rooms/{room}/agents": { body: InviteAgent; answer: MemberAnswer };
  "POST /api/rooms/{room}/agents/{agent}/restart": { body: Nothing; answer: RunsAnswer };
  "POST /api/rooms/{room}/users": { body: InviteUser; answer: MemberAnswer };
  "GET /api/rooms/{room}/topics": { body: undefined; answer: TopicsAnswer };
  "POST /api/rooms/{room}/topics": { body: CreateTopic; answer: TopicAnswer };
  "GET /api/topics/{id}": { body: undefined; answer: TopicAnswer };
  "PATCH /api/topics/{id}": { body: ChangeTopic; answer: TopicAnswer };
  "GET /api/topics/{id}/tail": { body: undefined; answer: TailAnswer };
  "GET /api/topics/{id}/paths": { body: undefined; answer: PathsAnswer };
  "POST /api/debates": { body: StartDebate; answer: DebateAnswer };
  "GET /api/debates/{id}": { body: undefined; answer: DebateAnswer };
  "POST /api/debates/{id}/stop": { body: Nothing; answer: DebateAnswer };
  "GET /api/bots": { body: undefined; answer: BotsAnswer };
  "POST /api/bots": { body: SaveBot; answer: BotAnswer };
  "GET /api/bots/{id}": { body: undefined; answer: BotAnswer };
  "POST /api/bots/{id}/unbind": { body: Nothing; answer: BotAnswer };
  "POST /api/bots/{id}/forget": { body: Nothing; answer: BotAnswer };
  "POST /api/bots/{id}/check": { body: Nothing; answer: BotAnswer };
  "POST /api/bots/unbind": { body: UnbindBots; answer: BotsAnswer };
  "POST /api/lark/reload": { body: Nothing; answer: ReloadedAnswer };
  "POST /api/slack/reload": { body: Nothing; answer: ReloadedAnswer };
  "POST /api/dingtalk/reload": { body: Nothing; answer: ReloadedAnswer };
  "GET /api/identities": { body: undefined; answer: IdentitiesAnswer };
  "POST /api/identities": { body: PutIdentity; answer: IdentityAnswer };
  "POST /api/identities/remove": { body: RemoveIdentity; answer: IdentityAnswer };
  "GET /api/platform-events": { body: undefined; answer: PlatformEventsAnswer };
  "GET /api/posts": { body: undefined; answer: PostsAnswer };
  "POST /api/posts": { body: SendPost; answer: PostAnswer };
  "GET /api/posts/{id}": { body: undefined; answer: PostAnswer };
  "POST /api/posts/{id}/retry": { body: Nothing; answer: PostAnswer };
  "POST /api/bridges/beat": { body: BridgeBeat; answer: BeatAnswer };
  "POST /api/bridges/release": { body: LetGo; answer: Done };
  "POST /api/bridges/inbound": { body: HearEvent; answer: HeardAnswer };
  "POST /api/bridges/inbound/{id}/files": { body: HandInFiles; answer: HeardAnswer };
  "POST /api/bridges/posts/claim": { body: ClaimPosts; answer: ClaimedPostsAnswer };
  "POST /api/bridges/posts/{id}/renew": { body: UnderPostLease; answer: PostAnswer };
  "POST /api/bridges/posts/{id}/settle": { body: SettlePost; answer: PostAnswer };
  "POST /api/bridges/posts/{id}/split": { body: SplitPost; answer: PostAnswer };
  "GET /api/messages": { body: undefined; answer: MessagesAnswer };
  "POST /api/messages": { body: SendMessage; answer: SentAnswer };
  "GET /api/messages/{id}": { body: undefined; answer: MessageAnswer };
  "PATCH /api/messages/{id}": { body: EditMessage; answer: MessageAnswer };
  "DELETE /api/messages/{id}": { body: Nothing; answer: MessageAnswer };
  "POST /api/messages/{id}/draft": { body: ChooseForDraft; answer: MessageAnswer };
  "GET /api/messages/{id}/trace": { body: undefined; answer: TraceAnswer };
  "GET /api/inbox": { body: undefined; answer: InboxAnswer };
  "GET /api/deliveries": { body: undefined; answer: DeliveriesAnswer };
  "POST /api/deliveries": { body: CreateDelivery; answer: DeliveryAnswer };
  "POST /api/deliveries/claim": { body: ClaimDeliveries; answer: ClaimsAnswer };
  "GET /api/deliveries/{id}": { body: undefined; answer: DeliveryAnswer };
  "POST /api/deliveries/{id}/claim": { body: Nothing; answer: ClaimAnswer };
  "POST /api/deliveries/{id}/renew": { body: UnderLease; answer: RenewAnswer };
  "POST /api/deliveries/{id}/release": { body: ReleaseDelivery; answer: DeliveryAnswer };
  "POST /api/deliveries/{id}/ack": { body: AckDelivery; answer: DeliveryAnswer };
  "POST /api/deliveries/{id}/fail": { body: FailDelivery; answer: DeliveryAnswer };
  "POST /api/deliveries/{id}/cancel": { body: Nothing; answer: DeliveryAnswer };
  "POST /api/deliveries/{id}/front": { body: Nothing; answer: DeliveryAnswer };
  "POST /api/deliveries/{id}/merge": { body: MergeDelivery; answer: DeliveryAnswer };
  "POST /api/deliveries/{id}/retry": { body: RetryDelivery; answer: DeliveryAnswer };
  "GET /api/computers": { body: undefined; answer: ComputersAnswer };
  "POST /api/computers/provision": { body: ProvisionComputer; answer: ProvisionedAnswer };
  "POST /api/computers/connect": { body: ConnectComputer; answer: ConnectedAnswer };
  "POST /api/daemons": { body: RegisterDaemon; answer: ConnectedAnswer };
  "GET /api/computers/{id}": { body: undefined; answer: ComputerAnswer };
  "POST /api/computers/{id}/heartbeat": { body: HeartbeatRequest; answer: HeartbeatAnswer };
  "POST /api/computers/{id}/commands/{command}/done": { body: CommandDone; answer: Done };
  "POST /api/computers/{id}/findings": { body: ReportFindings; answer: Done };
  "POST /api/computers/{id}/rotate": { body: Nothing; answer: RotatedAnswer };
  "POST /api/computers/{id}/revoke": { body: Nothing; answer: ComputerAnswer };
  "POST /api/computers/{id}/drain": { body: DrainComputer; answer: ComputerAnswer };
  "GET /api/terminals": { body: undefined; answer: TerminalsAnswer };
  "POST /api/terminals": { body: OpenTerminal; answer: TerminalAnswer };
  "GET /api/terminals/{id}": { body: undefined; answer: TerminalAnswer };
  "POST /api/terminals/{id}/close": { body: Nothing; answer: TerminalAnswer };
  "GET /api/agents": { body: undefined; answer: AgentsAnswer };
  "POST /api/agents": { body: CreateAgent; answer: AgentAnswer };
  "POST /api/agents/onboard": { body: CreateAgent; answer: AgentAnswer };
  "GET /api/agents/{key}": { body: undefined; answer: AgentAnswer };
  "PATCH /api/agents/{key}": { body: ChangeAgent; answer: AgentAnswer };
  "DELETE /api/agents/{key}": { body: Nothing; answer: AgentAnswer };
  "POST /api/agents/{key}/duplicate": { body: DuplicateAgent; answer: AgentAnswer };
  "POST /api/agents/{key}/apply": { body: ApplyProfile; answer: AppliedAnswer };
  "POST /api/agents/{key}/assignment": { body: AssignAgent; answer: AssignmentAnswer };
  "GET /api/topics/{id}/agents/{agent}": { body: undefined; answer: ChoiceAnswer };
  "PATCH /api/topics/{id}/agents/{agent}": { body: ChooseForTopic; answer: ChoiceAnswer };
  "GET /api/accounts": { body: undefined; answer: AccountsAnswer };
  "POST /api/accounts": { body: AddAccount; answer: AccountAnswer };
  "GET /api/accounts/{id}": { body: undefined; answer: AccountAnswer };
  "PATCH /api/accounts/{id}": { body: ChangeAccount; answer: AccountAnswer };
  "DELETE /api/accounts/{id}": { body: Nothing; answer: AccountAnswer };
  "GET /api/accounts/{id}/models": { body: undefined; answer: ModelsAnswer };
  "POST /api/accounts/{id}/probe": { body: Nothing; answer: ProbeAnswer };
  "GET /api/agents/{key}/models": { body: undefined; answer: ModelsAnswer };
  "GET /api/agents/{key}/commands": { body: undefined; answer: CommandsAnswer };
  "GET /api/agents/{key}/equipment": { body: undefined; answer: EquipmentAnswer };
  "POST /api/agents/{key}/probe": { body: CommandsQuery; answer: ProbeAnswer };
  "GET /api/topics/{id}/commands": { body: undefined; answer: TopicCommandsAnswer };
  "GET /api/quotas": { body: undefined; answer: QuotasAnswer };
  "GET /api/runs": { body: undefined; answer: RunsAnswer };
  "POST /api/runs": { body: OpenRun; answer: OpenedAnswer };
  "GET /api/runs/{id}": { body: undefined; answer: RunAnswer };
  "GET /api/runs/{id}/prompt": { body: undefined; answer: PromptAnswer };
  "GET /api/runs/{id}/events": { body: undefined; answer: RunEventsAnswer };
  "POST /api/runs/{id}/events": { body: AddRunEvents; answer: AddedAnswer };
  "POST /api/runs/{id}/pid": { body: ReportPid; answer: RunAnswer };
  "POST /api/runs/{id}/state": { body: RunState; answer: RunAnswer };
  "POST /api/runs/{id}/finish": { body: FinishRun; answer: RunAnswer };
  "POST /api/runs/{id}/kill": { body: RunAction; answer: RunAnswer };
  "POST /api/runs/{id}/stop": { body: RunAction; answer: RunAnswer };
  "POST /api/runs/{id}/restart": { body: RunAction; answer: RunAnswer };
  "POST /api/runs/{id}/steer": { body: SteerRun; answer: SteeredAnswer };
  "POST /api/runs/{id}/rebuild": { body: RunAction; answer: RunAnswer };
  "POST /api/runs/{id}/rebuilt": { body: RebuiltPart; answer: RebuiltAnswer };
  "POST /api/runs/{id}/choose": { body: ChooseForRun; answer: RunAnswer };
  "POST /api/runs/{id}/result": { body: ReportResult; answer: RunAnswer };
  "POST /api/runs/{id}/interactions": { body: OpenInteraction; answer: InteractionAnswer };
  "GET /api/sessions": { body: undefined; answer: SessionsAnswer };
  "POST /api/sessions": { body: CreateSession; answer: SessionAnswer };
  "GET /api/sessions/{id}/runs": { body: undefined; answer: RunsAnswer };
  "POST /api/sessions/{id}/runtime-session": { body: BindNativeSession; answer: SessionAnswer };
  "GET /api/usage": { body: undefined; answer: UsageAnswer };
  "GET /api/interactions": { body: undefined; answer: InteractionsAnswer };
  "POST /api/interactions": { body: AskQuestion; answer: InteractionAnswer };
  "GET /api/interactions/{id}": { body: undefined; answer: InteractionAnswer };
  "POST /api/interactions/{id}/answer": { body: AnswerInteraction; answer: InteractionAnswer };
  "POST /api/interactions/{id}/applied": { body: InteractionApplied; answer: InteractionAnswer };
  "GET /api/approval-rules": { body: undefined; answer: ApprovalRulesAnswer };
  "POST /api/approval-rules/{id}/revoke": { body: Nothing; answer: ApprovalRuleAnswer };
  "GET /api/artifacts": { body: undefined; answer: ArtifactsAnswer };
  "POST /api/artifacts": { body: undefined; answer: ArtifactAnswer };
  "POST /api/artifacts/cleanup": { body: Nothing; answer: CleanedAnswer };
  "POST /api/artifacts/{id}/revoke": { body: Nothing; answer: ArtifactAnswer };
  "GET /api/workbench/artifacts": { body: undefined; answer: ArtifactsAnswer };
  "GET /api/invites": { body: undefined; answer: InvitesAnswer };
  "POST /api/invites": { body: CreateInvite; answer: CreatedInviteAnswer };
  "POST /api/invites/{id}/revoke": { body: Nothing; answer: InviteAnswer };
  "POST /api/invited/{token}/join": { body: JoinRoom; answer: JoinedAnswer };
  "POST /api/guest/leave": { body: Nothing; answer: Done };
  "GET /api/shares": { body: undefined; answer: SharesAnswer };
  "POST /api/shares": { body: CreateShare; answer: CreatedShareAnswer };
  "POST /api/shares/{id}/revoke": { body: Nothing; answer: ShareAnswer };
  "GET /api/shared/{token}": { body: undefined; answer: SharedAnswer };
  "GET /api/shared/{token}/topics": { body: undefined; answer: TopicsAnswer };
  "GET /api/shared/{token}/messages": { body: undefined; answer: MessagesAnswer };
  "POST /api/shared/{token}/messages": { body: Comment; answer: MessageAnswer };
  "GET /api/shared/{token}/run-events": { body: undefined; answer: RunEventsAnswer };
}
