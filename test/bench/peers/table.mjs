/**
 * Writes the tables of docs/performance.md, between its markers, from what run.mjs measured:
 * `node test/bench/peers/table.mjs results.json`. With `--print` it prints them and leaves the file alone. Where growth was
 * measured in a run of its own, that run's file comes behind: `table.mjs results.json growth.json`.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const begin = "<!-- peers: begin, written by test/bench/peers/table.mjs -->"
const end = "<!-- peers: end -->"

/** @param {ReadonlyArray<number>} values */
const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b)
  return (sorted[Math.floor(sorted.length / 2)] + sorted[Math.floor((sorted.length - 1) / 2)]) / 2
}

/** Three digits are what a benchmark can tell. @param {number} value */
const short = (value) =>
  Number(value.toPrecision(3)).toLocaleString("en-US", { maximumFractionDigits: value < 10 ? 2 : 1 })

/** The median, and from where to where the rounds went. @param {ReadonlyArray<number>} values */
const spread = (values) => {
  if (values.length === 0) return "–"
  const [least, middle, most] = [Math.min(...values), median(values), Math.max(...values)].map(short)
  return least === most ? middle : `${middle} (${least}–${most})`
}

/** @param {ReadonlyArray<string>} head @param {ReadonlyArray<ReadonlyArray<string>>} rows */
const table = (head, rows) =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n")

const rate = (/** @type {any} */ one) => one.n / one.millis * 1_000

/** @param {Record<string, any>} measured @param {Record<string, any>} grown */
export const tables = ({ libraries, machine, peers, results, servers, settings }, grown) => {
  const of = (/** @type {string} */ id, /** @type {string} */ measure, history = 0) =>
    results.filter((/** @type {any} */ one) =>
      one.peer === id && one.measure === measure && one.history === history && one.error === undefined
    )
  const rates = (/** @type {string} */ id, /** @type {string} */ measure, history = 0) =>
    spread(of(id, measure, history).map(rate))
  const known = (/** @type {ReadonlyArray<number | null>} */ values) => values.filter((value) => value !== null)
  const latency = (/** @type {string} */ id, /** @type {string} */ share) =>
    spread(of(id, "idle").map((/** @type {any} */ one) => one.latency[share]))
  const nameOf = (/** @type {any} */ { atOnce, title }) => atOnce === true ? `${title}¹` : title

  const throughput = table(
    [
      "",
      "one by one /s",
      "bulk /s",
      "drain /s",
      "end to end /s",
      "memory MiB",
      "µs a task, client",
      "µs a task, server"
    ],
    peers.map((/** @type {any} */ peer) => {
      const whole = of(peer.id, "end")
      return [
        nameOf(peer),
        ...["single", "bulk", "drain", "end"].map((measure) => rates(peer.id, measure)),
        spread(whole.map((/** @type {any} */ one) => one.peak)),
        spread(whole.map((/** @type {any} */ one) => one.client / one.n)),
        spread(known(whole.map((/** @type {any} */ one) => one.server === null ? null : one.server / one.n)))
      ]
    })
  )

  const idle = table(
    ["from enqueue to start, idle, ms", "p50", "p95", "p99"],
    peers.filter(({ without = [] }) => !without.includes("idle")).map((
      /** @type {any} */ peer
    ) => [peer.title, ...["p50", "p95", "p99"].map((share) => latency(peer.id, share))])
  )

  // Round by round, so that what slowed a whole round is in neither.
  const times = (/** @type {any} */ peer, /** @type {string} */ measure, /** @type {(one: any) => number} */ value) => {
    const [ours, theirs] = [of(`taskflow-${peer.kind}`, measure), of(peer.id, measure)]
    const ratios = theirs.flatMap((/** @type {any} */ one) => {
      const beside = ours.find((/** @type {any} */ { round }) => round === one.round)
      return beside === undefined ? [] : [value(beside) / value(one)]
    })
    return ratios.length === 0 ? "–" : `${short(median(ratios))} ×`
  }
  const ratios = table(
    [
      "effect-taskflow on the same store, times the peer",
      "one by one",
      "bulk",
      "drain",
      "end to end",
      "idle p50, latency"
    ],
    peers.filter(({ library }) => library !== "effect-taskflow").map((/** @type {any} */ peer) => [
      nameOf(peer),
      ...["single", "bulk", "drain", "end"].map((measure) => times(peer, measure, rate)),
      times(peer, "idle", (one) => one.latency.p50)
    ])
  )

  const setup = table(
    ["", "version", "licence", "settings", "an accepted task is kept"],
    peers.map(({ doc, durability, library, settings: set, title }) => [
      title,
      `${library} ${libraries[library].version}`,
      libraries[library].license,
      `${set} (${/^(https:|docs\/)/.test(doc) ? `[documented](${doc.replace(/^docs\//, "")})` : doc})`,
      durability
    ])
  )

  const loads = results.map((/** @type {any} */ { load }) => load).filter((/** @type {unknown} */ load) =>
    load !== undefined
  )
  const described = Object.entries(servers).map(([name, facts]) =>
    `${name} (${Object.entries(facts).map(([key, value]) => `${key} ${value === "" ? "empty" : value}`).join(", ")})`
  )
  const failed = [
    ...new Set(results.filter(({ error }) => error !== undefined).map(({ measure, peer }) => `${peer}: ${measure}`))
  ]
  const intro = [
    `${
      settings.n.toLocaleString("en-US")
    } tasks that do nothing, with a payload of ${settings.bytes} bytes, put in by ` +
    `${settings.chunk.toLocaleString("en-US")}; one by one at most 5,000. Medians of ${settings.rounds} interleaved ` +
    `round${
      settings.rounds === 1 ? "" : "s"
    }, with the lowest and the highest in parentheses. ${machine.cpus} × ${machine.model}, ` +
    `${machine.memoryGiB} GiB, ${machine.platform}, Node.js ${machine.node}; the load of the machine was ` +
    `${short(Math.min(...loads))} to ${short(Math.max(...loads))}, the benchmark's own included. ${
      described.join("; ")
    }.`,
    "Every measurement is a process of its own, in which every task ran exactly once; memory is the most that it held (RSS), end to end. " +
    "Processor time is end to end too, the server's is that of all its processes (Linux)."
  ]
  const atOnce = peers.some((/** @type {any} */ peer) => peer.atOnce === true)
    ? ["¹ Its tasks run while they are put in: it has no worker to leave out. At most 2,000 tasks."]
    : []
  const without = failed.length === 0
    ? []
    : [`**Without a figure, because a task was lost, ran twice or took too long:** ${failed.join(", ")}.`]
  return [...intro, throughput, ...atOnce, ...without, ratios, idle, ...growthOf(grown), setup].join("\n\n")
}

/** How fast a store is emptied beside what has finished in it before. @param {Record<string, any>} measured */
const growthOf = ({ peers, results, settings: { growth: sizes, rounds } }) => {
  if (sizes.length === 0) return []
  const ratesAt = (/** @type {string} */ id, /** @type {number} */ size) =>
    results.filter((/** @type {any} */ one) =>
      one.peer === id && one.measure === "growth" && one.history === size && one.error === undefined
    ).map(rate)
  const drained = peers.filter(({ id, without = [] }) =>
    !without.includes("drain") && results.some((/** @type {any} */ one) => one.peer === id && one.measure === "growth")
  )
  return [
    table(
      [
        "drain /s beside finished tasks",
        ...sizes.map((/** @type {number} */ size) => size.toLocaleString("en-US")),
        "last of first"
      ],
      drained.map((/** @type {any} */ peer) => {
        const [first, last] = [sizes[0], sizes[sizes.length - 1]].map((size) => ratesAt(peer.id, size))
        return [
          peer.title,
          ...sizes.map((/** @type {number} */ size) => spread(ratesAt(peer.id, size))),
          first.length > 0 && last.length > 0 ? short(median(last) / median(first)) : "–"
        ]
      })
    ),
    `The finished tasks were really run before. Medians of ${rounds} rounds, one after the other on the same store.`
  ]
}

const files = process.argv.slice(2).filter((argument) => argument !== "--print")
if (files.length < 1 || files.length > 2) throw new Error("table.mjs results.json [growth.json] [--print]")
const [measured, grown = measured] = files.map((file) => JSON.parse(readFileSync(file, "utf8")))
const text = tables(measured, grown)
if (process.argv.includes("--print")) console.log(text)
else {
  const docs = fileURLToPath(new URL("../../../docs/performance.md", import.meta.url))
  const before = readFileSync(docs, "utf8")
  const from = before.indexOf(begin)
  const to = before.indexOf(end)
  if (from === -1 || to < from) throw new Error(`${docs} needs the lines ${begin} and ${end}, in this order`)
  writeFileSync(docs, `${before.slice(0, from + begin.length)}\n\n${text}\n\n${before.slice(to)}`)
}
