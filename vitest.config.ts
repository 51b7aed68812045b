import { availableParallelism } from "node:os"
import { defaultClientConditions, defaultServerConditions } from "vite"
import { defineConfig } from "vitest/config"
import { BaseSequencer, type TestSpecification } from "vitest/node"

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

// Small files that take a minute or more: begun last, they would be all that still runs.
const long =
  /(axe|chaosShort|docs|fleet|fuzz|model|orders|plans|proxied|testClock|(Cipher|Mysql|Postgres|Redis|Sqlite)Backend)\.test\.ts$/

class LongFirst extends BaseSequencer {
  override async sort(files: Array<TestSpecification>): Promise<Array<TestSpecification>> {
    const sorted = await super.sort(files)
    const isLong = ({ moduleId }: TestSpecification) => long.test(moduleId)
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))]
  }
}

export default defineConfig({
  test: {
    passWithNoTests: false,
    sequence: { sequencer: LongFirst },
    poolOptions: {
      // More than there are processors: half of the time of these tests goes to databases, browsers, processes and moments of
      // a clock that they wait for. There is twice as much to do together as alone.
      forks: { minForks: 1, maxForks: Math.max(1, availableParallelism() - 1) },
      // As many all the time: one that is ended for being idle may be ended twice (Tinypool 1.1), which ends the run.
      threads: { isolate: false, minThreads: availableParallelism() + 1, maxThreads: availableParallelism() + 1 }
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
