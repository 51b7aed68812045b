import { availableParallelism } from "node:os"
import { defaultClientConditions, defaultServerConditions } from "vite"
import { defineConfig } from "vitest/config"

// Tests import "effect-taskflow" and its subpaths by name, as users do; this condition resolves them to src/.
const source = "@effect-taskflow/source"
// For bundlers: Node.js does not know it, and cannot load what some packages (@opentelemetry/api) have behind it.
const ofNode = defaultServerConditions.filter((condition) => condition !== "module")

export default defineConfig({
  resolve: { conditions: [source, ...defaultClientConditions] },
  ssr: { resolve: { conditions: [source, ...ofNode] } },
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/chaos/**", "test/bench/**"],
    setupFiles: ["test/support/seed.ts"],
    // The server serves the built dashboard: built when it is missing or older than its sources.
    // A browser is started once for all files that want one.
    globalSetup: ["scripts/dashboard.mjs", "test/dashboard/chromium.ts"],
    passWithNoTests: false,
    pool: "forks",
    // The default leaves one processor to vitest itself. Half of the time of these tests goes to databases, browsers and
    // processes that they wait for: on two processors one file at a time leaves much of both unused.
    poolOptions: { forks: { maxForks: Math.max(2, availableParallelism() - 1) } },
    testTimeout: 60_000,
    hookTimeout: 60_000
  }
})
