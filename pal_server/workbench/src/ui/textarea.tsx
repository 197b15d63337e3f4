/** The library's field of many lines, in a file of its own: it is loaded when somebody answers in words. */
export { Textarea } from "@mantine/core";
