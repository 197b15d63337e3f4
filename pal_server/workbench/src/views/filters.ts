import { useMatch, useNavigate, useRouter, useSearch } from "@tanstack/react-router";
import { FILTERS, type Filters } from "../routes";

/** The filters in the address, so that a link and Back keep them; an empty one is none. Setting changes what is named. */
export function useFilters(): [Filters, (wanted: Filters) => void] {
  const search = useSearch({ strict: false });
  const navigate = useNavigate();
  const router = useRouter();
  const page = useMatch({ strict: false, select: (match) => match.pathname });
  const set = (wanted: Filters) => {
    // Another page may be on its way already, and these are not its filters.
    if (router.history.location.pathname !== page) return;
    const named = Object.fromEntries(Object.entries(wanted).map(([name, value]) => [name, value || undefined]));
    void navigate({ to: ".", search: (before: object) => ({ ...before, ...named }), replace: true } as never);
  };
  return [search, set];
}

/** All of them, to be set: nothing is left out any more. */
export const UNFILTERED: Filters = Object.fromEntries(FILTERS.map((name) => [name, ""]));
