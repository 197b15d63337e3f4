import { useMemo } from "react";
import { type Need, needsOf } from "../state/attention";
import { useNow, useSelect } from "../ui/hooks";

/** What waits for this person; anew only when something of that changed, and as time goes by. */
export function useNeeds(): readonly Need[] {
  const interactions = useSelect((state) => state.desk.interactions);
  const deliveries = useSelect((state) => state.desk.deliveries);
  const topics = useSelect((state) => state.desk.topics);
  const now = useNow(30_000);
  return useMemo(() => needsOf({ interactions, deliveries, topics }, now), [interactions, deliveries, topics, now]);
}
