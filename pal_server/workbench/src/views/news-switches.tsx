import { Switch } from "@mantine/core";
import { t } from "../text/text";
import css from "./settings.module.css";

const NEWS = [
  ["needs", "settings.notifyNeeds"],
  ["mentions", "settings.notifyMentions"],
  ["runs", "settings.notifyRuns"],
] as const;

type News = Readonly<Record<(typeof NEWS)[number][0], boolean>>;

/** What is told by one way of telling, by kind. `way` is its name, for who does not see where the switches stand. */
export function NewsSwitches({
  way,
  wanted,
  onChange,
}: {
  way: string;
  wanted: News;
  onChange: (wanted: Partial<News>) => void;
}) {
  return NEWS.map(([field, name]) => (
    <div key={field} className={css.row}>
      <span>{t(name)}</span>
      <Switch
        aria-label={`${way}: ${t(name)}`}
        checked={wanted[field]}
        onChange={(event) => onChange({ [field]: event.currentTarget.checked })}
      />
    </div>
  ));
}
