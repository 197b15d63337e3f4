import type { NotificationData } from "@mantine/notifications";

let makeRoom = () => {};

/** Called with each thing that is told: before the first there is no place for it, and nothing of it is loaded. */
export function whenTold(act: () => void): void {
  makeRoom = act;
}

/** The result of what the person just did, and nothing else. */
export function tell(message: React.ReactNode): void {
  void show({ message, withBorder: true });
}

export function tellFailure(error: unknown): void {
  void show({ message: error instanceof Error ? error.message : String(error), withBorder: true, color: "red" });
}

async function show(given: NotificationData): Promise<void> {
  makeRoom();
  try {
    const { notifications } = await import("@mantine/notifications");
    notifications.show(given);
  } catch (error) {
    console.warn(error, given.message); // the server is away, which the strip above says
  }
}
