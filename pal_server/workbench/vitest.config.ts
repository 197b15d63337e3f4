import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    environment: "node",
    include: ["src/**/*.test.ts"],
    testTimeout: 90_000,
    // The rules that are tested are pure, so one load of them does for all files.
    pool: "threads",
    isolate: false,
  },
});
