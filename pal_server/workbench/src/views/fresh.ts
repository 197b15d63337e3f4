import { type QueryKey, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { useSelect } from "../ui/hooks";

/** By list: the newest event it was asked for after, also while no view shows it and its answer is kept. */
const askedAfter = new Map<string, number>();

/** Asks again for a list that is not in the snapshot, whenever the log tells of such things. Nothing is polled. */
export function useFresh(key: QueryKey, ...nouns: readonly string[]): void {
  const queries = useQueryClient();
  const newest = useSelect(
    (state) => state.heard.findLast((event) => nouns.some((noun) => event.kind.startsWith(`${noun}.`)))?.position ?? 0,
  );
  const name = JSON.stringify(key);
  useEffect(() => {
    const before = askedAfter.get(name) ?? newest;
    askedAfter.set(name, newest);
    if (newest === before) return;
    void queries.invalidateQueries({ queryKey: JSON.parse(name) as QueryKey });
  }, [newest, name, queries]);
}
