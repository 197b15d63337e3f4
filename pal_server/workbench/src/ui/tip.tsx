import { Tooltip } from "@mantine/core";

/** What `Tips` draws at an element. */
export function Tip({ target }: { target: HTMLElement }) {
  return <Tooltip target={target} label={target.dataset.tip} opened />;
}
