/** Platforms with a bridge of ours, as they write themselves; others are shown under their own name. */
export const PLATFORMS: Readonly<Record<string, string>> = { lark: "Lark", slack: "Slack", dingtalk: "DingTalk" };

export const platformName = (platform: string): string => PLATFORMS[platform] ?? platform;
