import { TextInput } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import css from "./filter-bar.module.css";

const REST = 200; // milliseconds without a key after which what was typed is asked for

/** Words a list is narrowed by: asked for when the typing rests, or at Enter. */
export function Find(props: { label: string; value: string; onChange: (words: string) => void }) {
  const { label, value, onChange } = props;
  const [words, setWords] = useState(value);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  // Who leaves before the typing has rested is somewhere else, where it narrows nothing.
  useEffect(() => () => clearTimeout(timer.current), []);
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
        clearTimeout(timer.current);
        timer.current = setTimeout(() => onChange(typed), REST);
      }}
      onKeyDown={(event) => {
        if (event.key !== "Enter") return;
        clearTimeout(timer.current);
        onChange(words);
      }}
    />
  );
}
