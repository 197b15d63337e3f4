/** What makes an agent at a command line: the same the wizard makes, for who would rather type it. Pure. */

export interface NewAgent {
  key: string;
  name: string;
  runtime: string;
  computer: string;
  /** For the runtime `command`: what is run. */
  command: string;
  folder: string;
}

export function onboardCommand(agent: NewAgent): string {
  const flags: [string, string][] = [
    ["--key", agent.key || "KEY"],
    ["--name", agent.name],
    ["--runtime", agent.runtime],
    ["--computer-id", agent.computer],
    ["--command", agent.command],
    ["--cwd", agent.folder],
  ];
  return [
    "pal console agents onboard",
    ...flags.filter(([, given]) => given).map(([flag, given]) => `${flag} ${quoted(given)}`),
  ].join(" ");
}

export function helloCommand(agent: string, room: string): string {
  return `pal cli send --room ${quoted(room)} ${quoted(`@${agent} hello`)}`;
}

/** One word for a POSIX shell, whatever is in it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
