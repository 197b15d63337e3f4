import { Button } from "@mantine/core";
import { Component, type ReactNode } from "react";
import { t } from "../text/text";

/** A part that fails is replaced by what failed and a way to try again; the rest of the page works on. */
export class Boundary extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override componentDidCatch(error: Error) {
    console.warn(error);
  }

  override render() {
    const { error } = this.state;
    if (error === null) return this.props.children;
    return (
      <div role="alert" style={{ display: "grid", gap: 12, padding: 28, justifyItems: "start" }}>
        <strong>{t("app.failed")}</strong>
        <span style={{ color: "var(--text-2)" }}>{error.message}</span>
        <span style={{ display: "flex", gap: 8 }}>
          <Button onClick={() => this.setState({ error: null })}>{t("app.tryAgain")}</Button>
          <Button onClick={() => void navigator.clipboard.writeText(error.stack ?? error.message)}>
            {t("app.copyDetail")}
          </Button>
        </span>
      </div>
    );
  }
}
