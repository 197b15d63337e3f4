import { expect, it } from "vitest";
import { withFormulas } from "./formulas";

it.each([
  ["so $x^2$ it is", "so $$x^2$$ it is"],
  ["\\(a + b\\) and $$c$$", "$$a + b$$ and $$c$$"],
  ["\\[ \\int_0^1 f \\]", "\n\n$$\n\\int_0^1 f\n$$\n\n"],
  ["$$\n\\sum_i x_i\n$$", "\n\n$$\n\\sum_i x_i\n$$\n\n"],
  ["`$x$` but $y$", "`$x$` but $$y$$"],
])("%j is read as %j", (given, wanted) => {
  expect(withFormulas(given)).toBe(wanted);
});

it.each([
  "it costs $5 and $10",
  "a $ b $ c",
  "```sh\necho $HOME $PATH\n```",
  "`$x$`",
  "US$5, CA$7",
  "no formula",
  "$HOME and $PATH1",
])("%j has none", (given) => {
  expect(withFormulas(given)).toBeNull();
});
