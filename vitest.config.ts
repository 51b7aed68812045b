import { availableParallelism } from "node:os"
import { defaultClientConditions, defaultServerConditions } from "vite"
import { defineConfig } from "vitest/config"

// Tests import "effect-taskflow" and its subpaths by name, as users do; this condition resolves them to src/.
const source = "@effect-taskflow/source"
// For bundlers: Node.js does not know it, and cannot load what some packages (@opentelemetry/api) have behind it.
const ofNode = defaultServerConditions.filter((condition) => condition !== "module")

const resolving = {
  resolve: { conditions: [source, ...defaultClientConditions] },
  ssr: { resolve: { conditions: [source, ...ofNode] } }
}

const common = { setupFiles: ["test/support/seed.ts"], testTimeout: 60_000, hookTimeout: 60_000 }

const parts = "test/internal/**/*.test.ts"

export default defineConfig({
  test: {
    passWithNoTests: false,
    poolOptions: {
      // The default leaves one processor to vitest itself. Half of the time of these tests goes to databases, browsers and
      // processes that they wait for: on two processors one file at a time leaves much of both unused.
      forks: { maxForks: Math.max(2, availableParallelism() - 1) },
      threads: { isolate: false, minThreads: 1, maxThreads: 1 }
    },
    projects: [
      {
        ...resolving,
        // Parts of the engine, one by one. They share a thread and what it has loaded, which takes half of the time.
        test: { ...common, name: "parts", include: [parts], pool: "threads" }
      },
      {
        ...resolving,
        test: {
          ...common,
          name: "whole",
          include: ["test/**/*.test.ts"],
          exclude: ["test/chaos/**", "test/bench/**", parts],
          // The server serves the built dashboard: built when it is missing or older than its sources.
          // A browser is started once for all files that want one.
          globalSetup: ["scripts/dashboard.mjs", "test/dashboard/chromium.ts"],
          pool: "forks"
        }
      }
    ]
  }
})
