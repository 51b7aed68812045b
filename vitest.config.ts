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

// What changes or counts what belongs to a whole process, starts processes of its own from here, or loads the compiler.
const alone = [
  "test/{executor,examples,types,model}/**/*.test.ts",
  "test/{chaos*,conventions,docs*,reliability,retryChanged,tracing,vitals,workersAtWork}.test.ts",
  "test/backend/{durability,migrations,redis*}.test.ts"
]

export default defineConfig({
  test: {
    passWithNoTests: false,
    poolOptions: {
      // Half of the time of these tests goes to databases, browsers and processes that they wait for.
      forks: { minForks: 1, maxForks: Math.max(1, availableParallelism() - 1) },
      threads: { isolate: false, minThreads: 1, maxThreads: Math.max(2, availableParallelism() - 1) }
    },
    projects: [
      {
        ...resolving,
        // One after the other in a thread, which has loaded Effect and this library for the first of them: that takes most
        // files longer than their tests.
        test: {
          ...common,
          setupFiles: [...common.setupFiles, "test/support/ofEachFile.ts"],
          name: "together",
          include: ["test/**/*.test.ts"],
          exclude: ["test/{chaos,bench}/**", ...alone],
          // The server serves the built dashboard: built when it is missing or older than its sources.
          // A browser is started once for all files that want one.
          globalSetup: ["scripts/dashboard.mjs", "test/dashboard/chromium.ts"],
          pool: "threads"
        }
      },
      {
        ...resolving,
        // Each in a process of its own.
        test: { ...common, name: "alone", include: alone, globalSetup: ["scripts/dashboard.mjs"], pool: "forks" }
      }
    ]
  }
})
