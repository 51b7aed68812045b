/**
 * What every benchmark prints: one JSON line for each measurement on stdout, a table for people on stderr.
 */
import * as os from "node:os"

/** One measurement. `n` is how many operations each round did; what else matters for reading it is in `settings`. */
export interface Measurement {
  readonly bench: string
  readonly backend: string
  readonly metric: string
  /** The median of the rounds. */
  readonly value: number
  readonly unit: string
  readonly n: number
  readonly settings: Readonly<Record<string, unknown>>
}

/** The middle value; of an even number of values the mean of the two in the middle. */
export const median = (values: ReadonlyArray<number>): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN
  return (lower + upper) / 2
}

/** The value below which `share` (0 to 1) of the values lie. */
export const quantile = (values: ReadonlyArray<number>, share: number): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? Number.NaN
}

/** Four significant digits: more is noise. */
const rounded = (value: number): number => Number(value.toPrecision(4))

const number = (value: number): string =>
  value.toLocaleString("en-US", { maximumFractionDigits: Math.abs(value) >= 100 ? 0 : 3 })

/** What was measured on, in one line. */
export const machine = (): string =>
  `${os.cpus().length} × ${os.cpus()[0]?.model.trim() ?? "unknown CPU"}, Node ${process.version}, ` +
  `load ${os.loadavg()[0]!.toFixed(2)}`

/** Lines with their cells below each other; those of `left` begin at the left. */
export const columns = (rows: ReadonlyArray<ReadonlyArray<string>>, left: ReadonlyArray<number> = [0]): string => {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows.map((row) =>
    row.map((cell, column) => left.includes(column) ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))
      .join("  ").trimEnd()
  ).join("\n")
}

/** Collects the measurements of one benchmark and prints each as it comes. */
export const make = (bench: string, backend: string) => {
  const measurements: Array<Measurement> = []

  /** `values`: one for each round. Without any there is nothing to say. */
  const add = (
    metric: string,
    unit: string,
    n: number,
    values: ReadonlyArray<number>,
    settings: Readonly<Record<string, unknown>> = {}
  ): void => {
    if (values.length === 0) return
    const measurement: Measurement = {
      bench,
      backend,
      metric,
      value: rounded(median(values)),
      unit,
      n,
      settings: {
        rounds: values.length,
        min: rounded(Math.min(...values)),
        max: rounded(Math.max(...values)),
        ...settings
      }
    }
    measurements.push(measurement)
    process.stdout.write(`${JSON.stringify(measurement)}\n`)
  }

  /** The machine, then everything added so far. */
  const table = (): void => {
    const rows = measurements.map(({ metric, n, settings, unit, value }) => {
      const { max, min, rounds } = settings as { readonly min: number; readonly max: number; readonly rounds: number }
      return [metric, number(n), number(value), unit, `${number(min)} – ${number(max)}`, String(rounds)]
    })
    const text = columns([["metric", "n", "median", "unit", "min – max", "rounds"], ...rows], [0, 3])
    process.stderr.write(`\n${bench} on ${backend}: ${machine()}\n\n${text}\n`)
  }

  return { add, table }
}
