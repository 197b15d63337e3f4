import { TextInput } from "@mantine/core";
import { useEffect, useState } from "react";
import css from "./files.module.css";

const REST = 200; // milliseconds without a key after which what was typed is asked for

/** Words a list is narrowed by: asked for when the typing rests, or at Enter. */
export function Find(props: { label: string; value: string; onChange: (words: string) => void }) {
  const { label, value, onChange } = props;
  const [words, setWords] = useState(value);
  const [timer, setTimer] = useState<ReturnType<typeof setTimeout>>();
  useEffect(() => {
    if (value === "") setWords("");
  }, [value]);
  return (
    <TextInput
      size="xs"
      type="search"
      aria-label={label}
      placeholder={label}
      value={words}
      className={css.find ?? ""}
      onChange={(event) => {
        const typed = event.currentTarget.value;
        setWords(typed);
        clearTimeout(timer);
        setTimer(setTimeout(() => onChange(typed), REST));
      }}
      onKeyDown={(event) => {
        if (event.key !== "Enter") return;
        clearTimeout(timer);
        onChange(words);
      }}
    />
  );
}
