import { notifications } from "@mantine/notifications";

/** The result of what the person just did, and nothing else. */
export function tell(message: React.ReactNode): void {
  notifications.show({ message, withBorder: true });
}

export function tellFailure(error: unknown): void {
  notifications.show({
    message: error instanceof Error ? error.message : String(error),
    withBorder: true,
    color: "red",
  });
}
