import { type QueryKey, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { useSelect } from "../ui/hooks";

/** Asks again for a list that is not in the snapshot, whenever the log tells of such things. Nothing is polled. */
export function useFresh(key: QueryKey, ...nouns: readonly string[]): void {
  const queries = useQueryClient();
  const newest = useSelect(
    (state) => state.heard.findLast((event) => nouns.some((noun) => event.kind.startsWith(`${noun}.`)))?.position ?? 0,
  );
  const seen = useRef(newest);
  const name = JSON.stringify(key);
  useEffect(() => {
    if (newest === seen.current) return;
    seen.current = newest;
    void queries.invalidateQueries({ queryKey: JSON.parse(name) as QueryKey });
  }, [newest, name, queries]);
}
