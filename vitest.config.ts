import { defineConfig } from "vitest/config";

export default defineConfig({
  test: { root: "frontend", environment: "happy-dom", include: ["src/**/*.test.ts"] },
});
