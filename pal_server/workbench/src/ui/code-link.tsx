import { useQuery } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext } from "react";
import { findItem } from "../api/items";
import type { FoundItem } from "../wire/contract";
import { Go } from "./go";
import { useSelect } from "./hooks";

const KNOWN_FOR = 5 * 60_000; // milliseconds a title is kept; the link leads to what is there anyway

/** The project whose codes are meant by words that name none: an id; null where there is none. */
export const ProjectContext = createContext<string | null>(null);

interface Props {
  code?: string;
  project?: string;
  children?: ReactNode;
}

/** A code in words: a link to its task or decision for those who may know it, else the words alone. */
export function CodeLink({ code, project, children }: Props) {
  const here = useContext(ProjectContext);
  const whose = project ?? here;
  const said = `${whose}.${code}`;
  const { data } = useQuery({
    queryKey: ["items", said],
    queryFn: () => findItem(said),
    enabled: whose !== null,
    staleTime: KNOWN_FOR,
    refetchOnWindowFocus: false,
  });
  const address = useSelect((state) => (data ? addressOf(data, state.desk) : null));
  if (!data || address === null) return children;
  return (
    <Go to={address} title={`${data.code} ${data.title}`}>
      {children}
    </Go>
  );
}

interface Known {
  rooms: Readonly<Record<string, { name: string }>>;
  projects: Readonly<Record<string, { key: string }>>;
}

/** An address of the client alone, made of what the server knows: nothing of the words goes into it. */
export function addressOf(item: FoundItem, { rooms, projects }: Known): string | null {
  const room = item.room === null ? undefined : rooms[item.room];
  if (room && item.topic !== null) {
    const place = `/r/${encodeURIComponent(room.name)}/${item.topic}`;
    return item.message === null ? place : `${place}?message=${item.message}`;
  }
  const project = projects[item.project];
  return project && item.code.startsWith("D-") ? `/decisions?project=${encodeURIComponent(project.key)}` : null;
}
