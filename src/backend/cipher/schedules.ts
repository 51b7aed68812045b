/**
 * The schedules of a backend, with what they say encrypted.
 *
 * `definition` is made from all that a schedule says, its payload too: stored as it is, it would confirm a guess. So a hash of
 * it is stored, made with a key, and the definition itself is encrypted beside the spec. The engine sees its own on both sides.
 *
 * A row can be in another form than this cipher writes: from before there was a cipher, of a former key, of instances that do
 * not encrypt yet. It is the same schedule all the same: it is found by what it opens to.
 */
import * as Effect from "effect/Effect"
import * as Sealed from "../../internal/sealed.js"
import type { ScheduleDefinition, ScheduleStore, SlotRequest, StoredSchedule } from "../../ScheduleStore.js"
import type { Keyring, Owner } from "./keyring.js"

const owner = (name: string): Owner => ["schedule", name]

// As many as an engine knows.
const maxRemembered = 10_000

/** What the definition of a schedule is stored as. */
interface Form {
  readonly definition: string
  readonly stored: string
}

export const over = (store: ScheduleStore, ring: Keyring, encrypt: boolean): ScheduleStore => {
  type Named = Pick<ScheduleDefinition, "definition" | "name">

  // The key is a part of it: encrypted with another one, it is written again.
  const hashed = ({ definition, name }: Named, ...more: ReadonlyArray<string>): string =>
    `hash1.${ring.digest("definition", name, definition, ring.current, ...more)}`

  const written = (given: Named): string => encrypt ? hashed(given) : given.definition

  const sealed = (given: ScheduleDefinition, definition: string): ScheduleDefinition => {
    const { name, spec } = given
    return encrypt
      ? { ...given, definition, spec: ring.seal(owner(name), "spec", [spec, given.definition]) }
      : { ...given, definition }
  }

  // The forms that were seen last, so that a slot is asked for with the right one at once.
  const forms = new Map<string, Form>()

  const remember = (name: string, form: Form): void => {
    forms.delete(name)
    if (forms.size >= maxRemembered) forms.delete(forms.keys().next().value!)
    forms.set(name, form)
  }

  /** What cannot be opened stays as it is. */
  const open = <S extends StoredSchedule | null>(row: S): S => {
    if (row === null) return row
    const values = Sealed.isSealed(row.spec) ? ring.open(owner(row.name), "spec", row.spec) : null
    const spec = values?.[0] ?? row.spec
    const definition = values?.[1] ?? row.definition
    remember(row.name, { definition, stored: row.definition })
    return { ...row, spec, definition }
  }

  // Those that run together with different keys must not write a row in turn: of its code, an instance does it once.
  const ensured = new Set<string>()

  /** Whether the row may stay in its form. What is readable may not, where it should be encrypted. */
  const mayStay = (row: StoredSchedule, given: ScheduleDefinition): boolean => {
    if (!encrypt) return true
    if (!Sealed.isSealed(row.spec)) return false
    return row.definition === written(given) || (given.origin === "code" && ensured.has(given.name))
  }

  const define = (given: ScheduleDefinition, now: number) =>
    Effect.gen(function*() {
      const row = yield* store.get(given.name)
      const same = row !== null && row.origin === given.origin && open(row).definition === given.definition
      const form = written(given)
      // A backend writes a row anew only when the definition is another one.
      const other = encrypt && row?.definition === form ? hashed(given, "again") : form
      const definition = same && mayStay(row, given) ? row.definition : other
      const anchored = same ? { ...given, anchor: row.anchor } : given
      const defined = yield* store.define(sealed(anchored, definition), now)
      if (ensured.size < maxRemembered) ensured.add(given.name)
      return open(defined)
    })

  /** Fires with the definition as it is kept. */
  const inForm = <A, E>(
    of: SlotRequest,
    fire: (form: string) => Effect.Effect<A, E>,
    isOther: (answer: A) => boolean
  ) =>
    Effect.gen(function*() {
      const { definition, name } = of
      const known = forms.get(name)
      const first = known?.definition === definition ? known.stored : written(of)
      const answer = yield* fire(first)
      if (!isOther(answer)) return answer
      const row = yield* store.get(name)
      return row === null || row.definition === first || open(row).definition !== definition
        ? answer
        : yield* fire(row.definition)
    })

  const fireSlot = (request: SlotRequest) =>
    inForm(
      request,
      (definition) => store.fireSlot({ ...request, definition }),
      ({ _tag }) => _tag === "OtherDefinition"
    )

  const several = store.fireSlots
  const fireSlots = several === undefined ? {} : {
    fireSlots: (requests: ReadonlyArray<SlotRequest>) =>
      inForm(
        requests[0]!,
        (definition) => several(requests.map((request) => ({ ...request, definition }))),
        (outcomes) => outcomes.some(({ _tag }) => _tag === "OtherDefinition")
      )
  }

  return {
    ...store,
    define,
    get: (name) => Effect.map(store.get(name), open),
    list: (page) => Effect.map(store.list(page), (all) => ({ ...all, items: all.items.map((row) => open(row)) })),
    pause: (name, now) => Effect.map(store.pause(name, now), open),
    resume: (name, now) => Effect.map(store.resume(name, now), open),
    retire: (name, now) => Effect.map(store.retire(name, now), open),
    fireSlot,
    ...fireSlots
  }
}
