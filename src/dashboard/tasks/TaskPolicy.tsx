/** How a task is defined, each part of it in words, and what its payload looks like. */
import type { ComponentChildren } from "preact"
import type { Definition } from "../api/types.js"
import { href } from "../location.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"
import { words } from "../text/task.js"
import { Button } from "../ui/controls.js"
import { copy } from "../ui/copy.js"
import { retryOf } from "./facts.js"

type Facts = NonNullable<Definition["definition"]>

const flagsOf = (facts: Facts): ReadonlyArray<string> => [
  ...facts.transactional ? [t.tasks.flags.transactional] : [],
  ...facts.eager ? [t.tasks.flags.eager] : [],
  ...facts.persist ? [] : [t.tasks.flags.notKept]
]

const rowsOf = (facts: Facts): ReadonlyArray<readonly [string, ComponentChildren]> => [
  [words.facts.executor, words.executors[facts.executor]],
  [words.facts.retries, retryOf(facts)],
  [words.facts.timeout, facts.timeout === null ? words.noTimeout : format.duration(facts.timeout)],
  [words.facts.slots, facts.concurrency === null ? words.unlimited : format.count(facts.concurrency)],
  [words.facts.priority, String(facts.priority)],
  [words.facts.interrupted, facts.requeueOnInterrupt ? words.requeued : words.ends],
  [words.facts.crashes, format.count(facts.maxCrashes)],
  [words.facts.key, facts.keyTtl === null ? words.noKey : words.keyFor(facts.keyTtl)],
  [words.facts.version, String(facts.version)],
  ...flagsOf(facts).length === 0 ? [] : [[words.facts.flags, flagsOf(facts).join(", ")] as const]
]

export const TaskPolicy = ({ task }: { readonly task: Definition }) => {
  const { definition, instances } = task
  const rows: ReadonlyArray<readonly [string, ComponentChildren]> = [
    ...definition === null ? [] : rowsOf(definition),
    [
      words.facts.instances,
      instances.length === 0
        ? words.none
        : <a class="link" href={href("instances")} title={instances.join("\n")}>{format.count(instances.length)}</a>
    ]
  ]
  return (
    <section class="card">
      <div class="card-head">
        <h2>{words.policy}</h2>
      </div>
      <dl class="facts policy">
        {rows.map(([what, value]) => (
          <div key={what}>
            <dt>{what}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  )
}

export const PayloadSchema = ({ definition }: { readonly definition: Facts }) => {
  const { payloadSchema } = definition
  const text = JSON.stringify(payloadSchema, null, 2)
  return (
    <section class="card">
      <div class="card-head">
        <h2>{words.schema}</h2>
        <p class="dim">{payloadSchema === null ? words.schemaNone : words.schemaNote}</p>
        <span class="grow" />
        {payloadSchema === null
          ? null
          : <Button small icon="copy" onClick={() => void copy(text)}>{t.copy}</Button>}
      </div>
      {payloadSchema === null ? null : <pre class="json" tabIndex={0} aria-label={words.schemaNote}>{text}</pre>}
    </section>
  )
}
