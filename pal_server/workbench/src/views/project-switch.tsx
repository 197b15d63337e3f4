import { useNavigate } from "@tanstack/react-router";
import { Check, ChevronsUpDown, Plus } from "lucide-react";
import { useState } from "react";
import { projectsOf } from "../state/projects";
import { t } from "../text/text";
import { useSelect } from "../ui/hooks";
import { later } from "../ui/later";
import { type Choice, useMenu } from "../ui/menus";
import css from "./sidebar.module.css";

const NewProject = later(() => import("./new-project").then((found) => found.NewProject));

interface Props {
  /** The id of the project whose rooms are shown; empty: all. */
  chosen: string;
  onChoose: (project: string) => void;
}

/** Which project's rooms the sidebar shows, and the way to its page. */
export function ProjectSwitch({ chosen, onChoose }: Props) {
  const known = useSelect((state) => state.desk.projects);
  const role = useSelect((state) => state.desk.me.role);
  const navigate = useNavigate();
  const open = useMenu();
  const [isMaking, setMaking] = useState(false);
  const projects = projectsOf({ projects: known });
  const go = (id: string, key: string) => {
    onChoose(id);
    void navigate({ to: "/projects/$project", params: { project: key } });
  };
  const choices = (): (Choice | false)[] => [
    { label: t("project.all"), after: chosen === "" && <Check size={14} aria-hidden />, act: () => onChoose("") },
    ...projects.map((one) => ({
      label: one.name,
      after: chosen === one.id && <Check size={14} aria-hidden />,
      act: () => go(one.id, one.key),
    })),
    role !== "viewer" && "line",
    role !== "viewer" && {
      label: t("project.new"),
      before: <Plus size={14} aria-hidden />,
      act: () => setMaking(true),
    },
  ];
  return (
    <>
      <button
        type="button"
        className={css.switch}
        aria-haspopup="menu"
        onClick={(event) => open(event.currentTarget, choices(), { position: "bottom-start", width: 220 })}
      >
        <span>{known[chosen]?.name ?? "pal"}</span>
        <span className="sr">{t("project.switch")}</span>
        <ChevronsUpDown size={14} aria-hidden />
      </button>
      {isMaking && (
        <NewProject
          onClose={() => setMaking(false)}
          onMade={(made) => {
            setMaking(false);
            go(made.id, made.key);
          }}
        />
      )}
    </>
  );
}
