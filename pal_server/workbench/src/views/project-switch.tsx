import { Menu } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { Check, ChevronsUpDown, Plus } from "lucide-react";
import { useState } from "react";
import { projectsOf } from "../state/projects";
import { t } from "../text/text";
import { useSelect } from "../ui/hooks";
import { later } from "../ui/later";
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
  const [isMaking, setMaking] = useState(false);
  const projects = projectsOf({ projects: known });
  const go = (id: string, key: string) => {
    onChoose(id);
    void navigate({ to: "/projects/$project", params: { project: key } });
  };
  return (
    <>
      <Menu position="bottom-start" width={220}>
        <Menu.Target>
          <button type="button" className={css.switch}>
            <span>{known[chosen]?.name ?? "pal"}</span>
            <span className="sr">{t("project.switch")}</span>
            <ChevronsUpDown size={14} aria-hidden />
          </button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item rightSection={chosen === "" && <Check size={14} aria-hidden />} onClick={() => onChoose("")}>
            {t("project.all")}
          </Menu.Item>
          {projects.map((one) => (
            <Menu.Item
              key={one.id}
              rightSection={chosen === one.id && <Check size={14} aria-hidden />}
              onClick={() => go(one.id, one.key)}
            >
              {one.name}
            </Menu.Item>
          ))}
          {role !== "viewer" && (
            <>
              <Menu.Divider />
              <Menu.Item leftSection={<Plus size={14} aria-hidden />} onClick={() => setMaking(true)}>
                {t("project.new")}
              </Menu.Item>
            </>
          )}
        </Menu.Dropdown>
      </Menu>
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
