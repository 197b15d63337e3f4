import { describe, expect, it } from "vitest";
import { task } from "./factories";
import { changesOf, formOf } from "./task-form";

describe("a task in a form", () => {
  const before = formOf(task({ id: "a", acceptance: ["it sells"], depends_on: ["T-1", "T-2"], owner: "ada" }));

  it("that nobody changed asks for nothing", () => {
    expect(changesOf(before, { ...before })).toBeNull();
  });

  it("asks for what was changed alone", () => {
    const after = {
      ...before,
      acceptance: "it sells\n\n  it is green ",
      dependsOn: "T-2 t-4,",
      owner: "",
      title: " Tea ",
    };

    expect(changesOf(before, after)).toEqual({
      acceptance: ["it sells", "it is green"],
      depends_on: ["T-2", "t-4"],
      owner: null,
      title: "Tea",
    });
  });

  it("has every field people may say", () => {
    const said = {
      verification: "make test",
      verificationRequired: true,
      paths: "a/\nb/",
      references: "x",
      agent: "kai",
    };
    const after = { ...before, ...said, body: "All of it.", type: "bug", result: "Done." };

    expect(changesOf(before, after)).toEqual({
      verification: "make test",
      verification_required: true,
      paths: ["a/", "b/"],
      references: ["x"],
      agent: "kai",
      body: "All of it.",
      type: "bug",
      result: "Done.",
    });
  });
});
