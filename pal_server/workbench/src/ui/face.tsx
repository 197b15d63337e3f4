import { t } from "../text/text";
import css from "./face.module.css";

interface Props {
  kind: "user" | "agent" | "guest" | "system";
  name: string;
  label?: string;
  size?: number;
  /** What an agent does, or that a person is here; a dot at the lower right. */
  dot?: "running" | "waiting" | "present" | null;
}

/** A person is round with two initials, an agent square with one letter; the tint comes from the name. */
export function Face({ kind, name, label, size = 32, dot = null }: Props) {
  const isAgent = kind === "agent";
  const shown = label || name;
  const said = isAgent ? t("face.agent", { name: shown }) : t("face.person", { name: shown });
  return (
    <span
      className={css.face}
      data-kind={kind}
      role="img"
      aria-label={dot === "present" ? `${said}, ${t("face.present")}` : said}
      style={{ "--hue": hueOf(name), "--size": `${size}px` } as React.CSSProperties}
    >
      <span aria-hidden>{kind === "system" ? "p" : isAgent ? name.slice(0, 1).toLowerCase() : initials(shown)}</span>
      {dot && <i className={css.dot} data-dot={dot} />}
    </span>
  );
}

export function Faces({
  of,
  most = 3,
}: {
  of: readonly { kind: Props["kind"]; name: string; label?: string }[];
  most?: number;
}) {
  return (
    <span className={css.faces}>
      {of.slice(0, most).map((one) => (
        <Face key={`${one.kind}:${one.name}`} {...one} size={20} />
      ))}
    </span>
  );
}

function initials(name: string): string {
  const words = name
    .trim()
    .split(/[\s._-]+/)
    .filter(Boolean);
  const [first = "", second] = words;
  const letters = second ? `${[...first][0] ?? ""}${[...second][0] ?? ""}` : [...first].slice(0, 2).join("");
  return letters.toUpperCase() || "?";
}

function hueOf(name: string): number {
  let hash = 7;
  for (const sign of name) hash = (hash * 31 + (sign.codePointAt(0) ?? 0)) % 3600;
  return hash / 10;
}
