/**
 * Who is compared. `durability` says what a task that was accepted survives, `settings` what is not a default.
 *
 * @typedef {"single" | "bulk" | "drain" | "end" | "idle"} Measure
 *
 * @typedef {object} PeerInfo
 * @property {string} id
 * @property {string} title
 * @property {string} library The package that it comes from.
 * @property {"sqlite" | "postgres" | "mysql" | "redis"} kind
 * @property {string} adapter
 * @property {Record<string, unknown>} [with] What the adapter is opened with, besides its place.
 * @property {string} settings
 * @property {string} doc Where these settings are documented.
 * @property {ReadonlyArray<Measure>} [without] What it has no way to do.
 * @property {boolean} [atOnce] Its tasks run as soon as they are put in: there is no worker to leave out.
 * @property {number} [most] Tasks at most: of one that would take minutes.
 */

/** What a server says of itself stands in the results. */
export const durability = {
  sqlite: "WAL, synchronous = NORMAL: survives the process, the last commits not a power cut",
  full: "WAL, synchronous = FULL: survives a power cut",
  postgres: "as the server's synchronous_commit says",
  mysql: "as the server's innodb_flush_log_at_trx_commit says",
  redis: "as the server's appendonly and appendfsync say"
}

const slots = 2_000
const own = {
  library: "effect-taskflow",
  adapter: "ours",
  with: { slots },
  settings: "maxConcurrentTasks 2,000",
  doc: "docs/guide/running.md"
}

/** @type {Record<string, string>} */
const storeNames = { sqlite: "SQLite", postgres: "PostgreSQL", mysql: "MySQL/MariaDB", redis: "Redis" }

// As whoever sets nothing has it. Where few tasks are on their way at a time it makes no difference.
/** @param {PeerInfo["kind"]} kind @returns {PeerInfo} */
const byDefault = (kind) => ({
  ...own,
  id: `taskflow-${kind}-default`,
  title: `effect-taskflow, ${storeNames[kind]}, defaults`,
  kind,
  with: kind === "sqlite" ? { synchronous: "normal" } : {},
  settings: "defaults, so maxConcurrentTasks 100",
  without: ["single", "bulk", "idle"]
})

const bullmq = {
  library: "bullmq",
  adapter: "bullmq",
  settings: "one worker, concurrency 100, finished jobs kept"
}

const graphile = { library: "graphile-worker", adapter: "graphile", kind: "postgres" }

const persisted = {
  library: "@effect/experimental",
  adapter: "persistedQueue",
  settings: "100 takers, pollInterval 1 ms",
  doc: "types of @effect/sql/SqlPersistedQueue and @effect/experimental/PersistedQueue/Redis"
}

const workflow = {
  library: "@effect/workflow",
  adapter: "workflow",
  settings: "single runner, runner storage in memory; a workflow without activities; 64 at once where many are put in",
  doc: "readme of @effect/workflow; types of @effect/cluster/SingleRunner",
  without: ["bulk", "drain"],
  atOnce: true,
  most: 2_000
}

/** @type {ReadonlyArray<PeerInfo>} */
export const peers = [
  {
    ...own,
    id: "taskflow-sqlite",
    title: "effect-taskflow, SQLite",
    kind: "sqlite",
    with: { slots, synchronous: "normal" },
    settings: "maxConcurrentTasks 2,000, synchronous normal"
  },
  byDefault("sqlite"),
  {
    ...own,
    id: "taskflow-sqlite-full",
    title: "effect-taskflow, SQLite full",
    kind: "sqlite",
    with: { slots, synchronous: "full" },
    settings: "maxConcurrentTasks 2,000, synchronous full"
  },
  {
    id: "plainjob",
    title: "plainjob, SQLite",
    library: "plainjob",
    kind: "sqlite",
    adapter: "plainjob",
    settings: "pollIntervall 1 ms; no retries, no lease, a synchronous API",
    doc: "readme and types of plainjob"
  },
  { ...persisted, id: "persisted-sqlite", title: "PersistedQueue, SQLite", kind: "sqlite" },
  { ...workflow, id: "workflow-sqlite", title: "@effect/workflow, SQLite", kind: "sqlite" },
  { ...own, id: "taskflow-postgres", title: "effect-taskflow, PostgreSQL", kind: "postgres" },
  byDefault("postgres"),
  {
    ...graphile,
    id: "graphile",
    title: "graphile-worker, batched",
    with: { batched: true },
    settings:
      "concurrentJobs 24, maxPoolSize 25, localQueue.size 500, completeJobBatchDelay 0; deletes what has finished",
    doc: "https://worker.graphile.org/docs/performance"
  },
  {
    ...graphile,
    id: "graphile-plain",
    title: "graphile-worker, not batched",
    with: { batched: false },
    settings: "concurrentJobs 24, maxPoolSize 25; deletes what has finished",
    doc: "https://worker.graphile.org/docs/performance"
  },
  {
    id: "pg-boss",
    title: "pg-boss",
    library: "pg-boss",
    kind: "postgres",
    adapter: "pgBoss",
    settings: "batchSize 2,000, burstWhenBatchFull, useListenNotify; finished jobs kept",
    doc: "https://pgboss.io/api/workers"
  },
  {
    ...bullmq,
    id: "bullmq-postgres",
    title: "BullMQ, PostgreSQL",
    kind: "postgres",
    doc: "https://docs.bullmq.io/guide/postgresql"
  },
  { ...persisted, id: "persisted-postgres", title: "PersistedQueue, PostgreSQL", kind: "postgres" },
  { ...workflow, id: "workflow-postgres", title: "@effect/workflow, PostgreSQL", kind: "postgres" },
  { ...own, id: "taskflow-mysql", title: "effect-taskflow, MySQL/MariaDB", kind: "mysql" },
  byDefault("mysql"),
  { ...own, id: "taskflow-redis", title: "effect-taskflow, Redis", kind: "redis" },
  byDefault("redis"),
  {
    ...bullmq,
    id: "bullmq-redis",
    title: "BullMQ, Redis",
    kind: "redis",
    doc: "https://docs.bullmq.io/guide/workers/concurrency"
  },
  { ...persisted, id: "persisted-redis", title: "PersistedQueue, Redis", kind: "redis" }
]

/** @param {string} id @returns {PeerInfo} */
export const peerOf = (id) => {
  const found = peers.find((peer) => peer.id === id)
  if (found === undefined) throw new Error(`BENCH_PEERS: ${id} is none of ${peers.map(({ id }) => id).join(", ")}`)
  return found
}
