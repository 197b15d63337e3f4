import { useQuery } from "@tanstack/react-query";
import { FileText } from "lucide-react";
import { listFiles } from "../api/files";
import { t } from "../text/text";
import { useFresh } from "./fresh";
import { sizeOf } from "./message";
import css from "./run-files.module.css";

/** What a run left: files it put on offer. */
export function RunFiles({ run }: { run: number }) {
  const { data, error } = useQuery({
    queryKey: ["files", "of run", run],
    queryFn: () => listFiles({ run: String(run) }),
  });
  useFresh(["files"], "file");
  if (error) return <p role="alert">{error.message}</p>;
  if (!data) return null;
  const files = data.artifacts;
  if (files.length === 0) return <p className={css.none}>{t("panel.noFiles")}</p>;
  return (
    <ul className={css.files}>
      {files.map((file) => (
        <li key={file.id}>
          <FileText size={16} aria-hidden />
          <a href={file.url} target="_blank" rel="noreferrer">
            {file.title || file.name}
          </a>
          <small className="num">{sizeOf(file.size)}</small>
        </li>
      ))}
    </ul>
  );
}
