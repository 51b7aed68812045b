/**
 * Any backend, with what tasks carry encrypted on its way in and decrypted on its way out.
 *
 * It stands between the engine and the backend, so nothing that is written can go around it: retries, requeues, joined
 * transactions, transactional ends and slots of schedules are the same writes. The backend below decides by what stays
 * readable: ids, names, tags, times, statuses, numbers, and hashes.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { SlotRequest } from "../ScheduleStore.js"
import type { AttemptEntry, CancelResult, Change, Claimed, TaskBackend } from "../TaskBackend.js"
import type { TaskChange } from "../TaskChange.js"
import type { Keyring } from "./cipher/keyring.js"
import * as Schedules from "./cipher/schedules.js"
import * as Values from "./cipher/values.js"

type Port = TaskBackend["Type"]

const inner = new WeakMap<Port, Port>()

/** The backend below, which two ciphers on it share; of one without a cipher, itself. */
export const below = (backend: Port): Port => inner.get(backend) ?? backend

const sealing = ({ forget, sealEntry, sealLine, sealProgress, sealRecord }: Values.Values) => {
  const ended = <C extends Extract<Change, { readonly attempt: AttemptEntry }>>(change: C): C => {
    const { attempt, record } = change
    const sealed = { ...change, record: sealRecord(record), attempt: sealEntry(record.taskId, attempt) }
    if (change._tag === "Finish") forget(record.taskId)
    return sealed
  }
  const change = (one: Change): Change => {
    switch (one._tag) {
      case "Insert":
        return { ...one, record: sealRecord(one.record, true) }
      case "Start":
      case "Unclaim":
        return { ...one, record: sealRecord(one.record) }
      case "Release":
      case "Finish":
        return ended(one)
      case "Log": {
        const { line, taskId } = one
        const size = line.message.length + (line.annotations?.length ?? 0)
        return { ...one, line: sealLine(taskId, line), size: one.size ?? size }
      }
      case "Progress":
        return { ...one, progress: sealProgress(one.taskId, one.progress) }
    }
  }
  return { change, ended }
}

const opening = (values: Values.Values) => {
  const { openRecord, showProgress } = values
  const cancelled = (result: CancelResult): CancelResult =>
    "record" in result ? { ...result, record: openRecord(result.record) } : result
  const claimed = (all: Claimed): Claimed => ({
    ...all,
    started: all.started.map(openRecord),
    pending: all.pending.map(openRecord)
  })
  const told = (change: TaskChange): TaskChange =>
    change._tag === "Progressed" ? { ...change, progress: showProgress(change.taskId, change.progress) } : change
  return { cancelled, claimed, told }
}

/** Puts a cipher over `backend`. Without `encrypt` it only decrypts: what is written stays readable. */
export const over = (backend: Port, ring: Keyring, encrypt: boolean): Port => {
  const values = Values.make(ring, encrypt)
  const { openAudit, openEntry, openLine, openRecord, openSample, sealAudit, sealRecord } = values
  const seal = sealing(values)
  const open = opening(values)
  const { audit, errors, joinTransaction, schedules, transaction } = backend
  const { fireSlots } = schedules
  const sealedSlot = (request: SlotRequest) => ({ ...request, record: sealRecord(request.record, true) })
  const covered: Port = {
    ...backend,
    info: { ...backend.info, encrypted: encrypt },
    reap: (request) =>
      Effect.map(backend.reap(request), (reaped) => ({ ...reaped, records: reaped.records.map(openRecord) })),
    write: (batch) => Effect.suspend(() => backend.write({ ...batch, changes: batch.changes.map(seal.change) })),
    claim: (request) => Effect.map(backend.claim(request), open.claimed),
    owned: (instance) =>
      Effect.map(backend.owned(instance), (owned) => ({ ...owned, records: owned.records.map(openRecord) })),
    joinTransaction: joinTransaction === null
      ? null
      : (records, now) => Effect.suspend(() => joinTransaction(records.map((record) => sealRecord(record, true)), now)),
    transaction: transaction === null
      ? null
      : {
        ...transaction,
        finish: (change, now) => Effect.suspend(() => transaction.finish(seal.ended(change), now))
      },
    cancel: (taskId, now) => Effect.map(backend.cancel(taskId, now), open.cancelled),
    get: (taskId) => Effect.map(backend.get(taskId), Option.map(openRecord)),
    list: (query) => Effect.map(backend.list(query), (page) => ({ ...page, items: page.items.map(openRecord) })),
    logs: (taskId, options) =>
      Effect.map(backend.logs(taskId, options), (lines) => lines.map((line) => openLine(taskId, line))),
    attempts: (taskId) =>
      Effect.map(backend.attempts(taskId), (entries) => entries.map((entry) => openEntry(taskId, entry))),
    feed: (query) => Effect.map(backend.feed(query), (page) => ({ ...page, changes: page.changes.map(open.told) })),
    audit: {
      ...audit,
      append: (entries) => Effect.suspend(() => audit.append(entries.map(sealAudit))),
      page: (query) => Effect.map(audit.page(query), (page) => ({ ...page, items: page.items.map(openAudit) }))
    },
    errors: {
      ...errors,
      list: (query) =>
        Effect.map(errors.list(query), (page) => ({
          ...page,
          items: page.items.map((group) => ({ ...group, sample: openSample(group.fingerprint, group.sample) }))
        })),
      get: (fingerprint) =>
        Effect.map(
          errors.get(fingerprint),
          (group) => group === null ? null : { ...group, sample: openSample(fingerprint, group.sample) }
        )
    },
    schedules: Schedules.over(
      {
        ...schedules,
        fireSlot: (request) => Effect.suspend(() => schedules.fireSlot(sealedSlot(request))),
        ...fireSlots === undefined ? {} : {
          fireSlots: (requests: ReadonlyArray<SlotRequest>) => Effect.suspend(() => fireSlots(requests.map(sealedSlot)))
        }
      },
      ring,
      encrypt
    )
  }
  inner.set(covered, below(backend))
  return covered
}
