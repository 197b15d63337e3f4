import { Modal } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Check, CircleDashed, X } from "lucide-react";
import { trace } from "../api/messages";
import { clockSeconds, t } from "../text/text";
import css from "./why.module.css";

/** What became of a message, step by step; the first broken one in red with what to do. */
export function Why({ message, onClose }: { message: number; onClose: () => void }) {
  const { data, error } = useQuery({ queryKey: ["trace", message], queryFn: () => trace(message), staleTime: 0 });
  return (
    <Modal
      opened
      onClose={onClose}
      title={t("message.whyTitle")}
      size="lg"
      closeButtonProps={{ "aria-label": t("confirm.close") }}
    >
      {error && <p role="alert">{error.message}</p>}
      <ol className={css.steps}>
        {data?.steps.map((step, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: steps have an order and no names of their own
          <li key={index} data-ok={String(step.ok)}>
            {step.ok === true ? (
              <Check size={15} aria-hidden />
            ) : step.ok === false ? (
              <X size={15} aria-hidden />
            ) : (
              <CircleDashed size={15} aria-hidden />
            )}
            <span>{step.text}</span>
            <time className="num">{step.at === null ? "" : clockSeconds(step.at)}</time>
          </li>
        ))}
      </ol>
      {data?.advice && <p className={css.advice}>{data.advice}</p>}
    </Modal>
  );
}
