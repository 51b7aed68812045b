/**
 * What of a record, a line, an attempt or an error group is encrypted, and back. Pure but for the keys.
 *
 * What cannot be opened stays as it is, so that writing the row again loses nothing. What was stored before there was a
 * cipher passes, and is encrypted when it is written again.
 */
import type { AuditEntry } from "../../AuditStore.js"
import * as Fingerprint from "../../internal/fingerprint.js"
import * as Sealed from "../../internal/sealed.js"
import type { AttemptEntry } from "../../TaskBackend.js"
import type { FailureCause, LogLine, Progress, TaskFailure } from "../../TaskEvent.js"
import { isDone, type TaskRecord } from "../../TaskRecord.js"
import type { Keyring, Owner } from "./keyring.js"

const taskOwner = (taskId: string): Owner => ["task", taskId]
const errorOwner = (fingerprint: string): Owner => ["error", fingerprint]

// An idempotency key is held in one of two forms, as it is or hashed, from the insert to the end of its record: backends
// compare it. A record that holds it in the other form than this cipher writes says so by blanks before its payload, which
// JSON does not see.
const otherForm = "\t\n\t"

// Payloads that are remembered together, in UTF-16 units of what they became.
const maxRemembered = 4_194_304

const hiddenName = "Encrypted"

export const make = (ring: Keyring, encrypt: boolean) => {
  // ── failures ──

  /** The fingerprint that says nothing to whoever has no key; the sample is encrypted where it goes to the backend. */
  const keyed = ({ fingerprint, sample }: Fingerprint.Fingerprint, sealed: boolean): Fingerprint.Fingerprint => {
    const own = ring.digest("fingerprint", fingerprint)
    if (!sealed) return { fingerprint: own, sample }
    const { frame, kind, message, name } = sample
    const text = ring.seal(errorOwner(own), "sample", [name, message, frame])
    return { fingerprint: own, sample: { kind, name: hiddenName, message: Sealed.placeholder, frame: text } }
  }

  // Written twice at the end of an attempt, with the record and with the ledger: the same one.
  const sealedFailures = new WeakMap<TaskFailure, readonly [taskId: string, TaskFailure]>()

  const sealFailure = (taskId: string, failure: TaskFailure | null): TaskFailure | null => {
    if (failure === null || !encrypt || Sealed.isSealed(failure.error)) return failure
    const before = sealedFailures.get(failure)
    if (before !== undefined && before[0] === taskId) return before[1]
    const { cause, error, kind, message, name, stack } = failure
    const parts = cause === undefined ? [] : [JSON.stringify(cause)]
    const sealed: TaskFailure = {
      kind,
      name: hiddenName,
      message: Sealed.placeholder,
      stack: "",
      error: ring.seal(taskOwner(taskId), "failure", [name, message, stack, error, ...parts])
    }
    // Counted by its own text, wherever it is counted.
    Fingerprint.tell(sealed, (taskName) => keyed(Fingerprint.plainOf(failure, taskName), true))
    Fingerprint.tell(failure, (taskName) => keyed(Fingerprint.plainOf(failure, taskName), false))
    sealedFailures.set(failure, [taskId, sealed])
    return sealed
  }

  const openFailure = (taskId: string, failure: TaskFailure | null): TaskFailure | null => {
    if (failure === null) return null
    // A copy: what is told of it must not be told of a constant of the backend.
    if (!Sealed.isSealed(failure.error)) return { ...failure }
    const values = ring.open(taskOwner(taskId), "failure", failure.error)
    if (values === null) return failure
    const [name, message, stack, error = null, parts = null] = values
    const opened: TaskFailure = {
      kind: failure.kind,
      name: name ?? "",
      message: message ?? "",
      stack: stack ?? "",
      error,
      // safe: it is authentic, so it is what was sealed
      ...parts === null ? {} : { cause: JSON.parse(parts) as FailureCause }
    }
    Fingerprint.tell(opened, (taskName) => keyed(Fingerprint.plainOf(opened, taskName), false))
    return opened
  }

  const openSample = (fingerprint: string, sample: Fingerprint.FailureSample): Fingerprint.FailureSample => {
    if (!Sealed.isSealed(sample.frame)) return sample
    const values = ring.open(errorOwner(fingerprint), "sample", sample.frame)
    if (values === null) return { ...sample, frame: null }
    const [name, message, frame = null] = values
    return { kind: sample.kind, name: name ?? "", message: message ?? "", frame }
  }

  // ── single texts ──

  const sealText = (taskId: string, field: string, text: string | null): string | null =>
    text === null || !encrypt || Sealed.isSealed(text) ? text : ring.seal(taskOwner(taskId), field, [text])

  const openText = (taskId: string, field: string, text: string | null): string | null =>
    Sealed.isSealed(text) ? ring.open(taskOwner(taskId), field, text)?.[0] ?? text : text

  /** `fresh`: as the handler said it, whatever it looks like; else it may be one that was not opened. */
  const sealProgress = (taskId: string, progress: Progress | null, fresh: boolean): Progress | null => {
    if (progress === null || progress.message === null || !encrypt) return progress
    const message = fresh
      ? ring.seal(taskOwner(taskId), "progress", [progress.message])
      : sealText(taskId, "progress", progress.message)
    return { value: progress.value, message }
  }

  const openProgress = (taskId: string, progress: Progress): Progress =>
    progress.message === null
      ? progress
      : { value: progress.value, message: openText(taskId, "progress", progress.message) }

  // ── payload and idempotency key ──

  type Identity = Pick<TaskRecord, "payload" | "idempotencyKey">

  // A task is inserted, started and finished, each time with its payload: encrypted once.
  const payloads = new Map<string, { readonly plain: Identity; readonly sealed: Identity }>()
  let remembered = 0

  const forget = (taskId: string): void => {
    const known = payloads.get(taskId)
    if (known === undefined) return
    payloads.delete(taskId)
    remembered -= known.sealed.payload.length
  }

  const remember = (taskId: string, plain: Identity, sealed: Identity): Identity => {
    const size = sealed.payload.length
    forget(taskId)
    // Of a former key it is not remembered: written again it shall be of the current one.
    if (size > maxRemembered || Sealed.keyIdOf(sealed.payload) !== ring.current) return sealed
    payloads.set(taskId, { plain, sealed })
    remembered += size
    // The ones that were remembered first go first.
    for (const [oldest] of payloads) {
      if (remembered <= maxRemembered) break
      forget(oldest)
    }
    return sealed
  }

  const hashedKey = (taskName: string, key: string): string => `hash1.${ring.digest("key", taskName, key)}`

  const sealIdentity = ({ idempotencyKey, payload, taskId, taskName }: TaskRecord, isNew: boolean): Identity => {
    if (Sealed.isSealed(payload)) return { payload, idempotencyKey }
    const before = payloads.get(taskId)
    if (before !== undefined && before.plain.payload === payload && before.plain.idempotencyKey === idempotencyKey) {
      return before.sealed
    }
    const marked = idempotencyKey !== null && payload.startsWith(otherForm)
    const text = marked ? payload.slice(otherForm.length) : payload
    const hashed = idempotencyKey !== null && (marked && !isNew ? !encrypt : encrypt)
    if (!encrypt && !hashed) return { payload: text, idempotencyKey }
    const owner = taskOwner(taskId)
    const sealed = hashed
      ? {
        payload: ring.seal(owner, "payload", [text, idempotencyKey]),
        idempotencyKey: hashedKey(taskName, idempotencyKey)
      }
      : { payload: ring.seal(owner, "payload", [text]), idempotencyKey }
    return remember(taskId, { payload, idempotencyKey }, sealed)
  }

  const openIdentity = (record: TaskRecord): Identity => {
    const { idempotencyKey, payload, taskId } = record
    if (!Sealed.isSealed(payload)) {
      return { payload: idempotencyKey !== null && encrypt ? otherForm + payload : payload, idempotencyKey }
    }
    const values = ring.open(taskOwner(taskId), "payload", payload)
    if (values === null) return { payload, idempotencyKey }
    const [text, hashed = null] = values
    const key = hashed ?? idempotencyKey
    const opened = {
      payload: key !== null && (hashed !== null) !== encrypt ? `${otherForm}${text}` : text ?? "",
      idempotencyKey: key
    }
    // What has ended is written no more.
    if (!isDone(record)) remember(taskId, opened, { payload, idempotencyKey })
    return opened
  }

  // ── whole rows ──

  return {
    /** `isNew`: nothing of it was ever read from the backend. */
    sealRecord: (record: TaskRecord, isNew = false): TaskRecord => ({
      ...record,
      ...sealIdentity(record, isNew),
      result: sealText(record.taskId, "result", record.result),
      failure: sealFailure(record.taskId, record.failure),
      progress: sealProgress(record.taskId, record.progress, false)
    }),
    openRecord: (record: TaskRecord): TaskRecord => ({
      ...record,
      ...openIdentity(record),
      result: openText(record.taskId, "result", record.result),
      failure: openFailure(record.taskId, record.failure),
      progress: record.progress === null ? null : openProgress(record.taskId, record.progress)
    }),
    /** It is written no more, so its payload is not asked for again. */
    forget,
    sealProgress: (taskId: string, progress: Progress): Progress => sealProgress(taskId, progress, true) ?? progress,
    /** For those who only show it. */
    showProgress: (taskId: string, progress: Progress): Progress => {
      const { message, value } = openProgress(taskId, progress)
      return { value, message: message === null ? null : Sealed.shown(message) }
    },
    sealEntry: (taskId: string, entry: AttemptEntry): AttemptEntry => ({
      ...entry,
      failure: sealFailure(taskId, entry.failure)
    }),
    openEntry: (taskId: string, entry: AttemptEntry): AttemptEntry => ({
      ...entry,
      failure: openFailure(taskId, entry.failure)
    }),
    // Its place is authenticated too, so that lines do not change places.
    sealLine: (taskId: string, line: LogLine): LogLine =>
      encrypt
        ? {
          ...line,
          message: Sealed.placeholder,
          annotations: ring.seal(taskOwner(taskId), `log ${line.claim} ${line.sequence}`, [
            line.message,
            line.annotations
          ])
        }
        : line,
    openLine: (taskId: string, line: LogLine): LogLine => {
      if (!Sealed.isSealed(line.annotations)) return line
      const values = ring.open(taskOwner(taskId), `log ${line.claim} ${line.sequence}`, line.annotations)
      if (values === null) return { ...line, annotations: null }
      return { ...line, message: values[0] ?? "", annotations: values[1] ?? null }
    },
    openSample,
    // A filter may ask for a key, or for words of an error.
    sealAudit: (entry: AuditEntry): AuditEntry =>
      encrypt
        ? { ...entry, parameters: ring.seal(["audit", entry.id], "parameters", [entry.parameters]) }
        : entry,
    openAudit: (entry: AuditEntry): AuditEntry =>
      Sealed.isSealed(entry.parameters)
        ? {
          ...entry,
          parameters: ring.open(["audit", entry.id], "parameters", entry.parameters)?.[0] ?? entry.parameters
        }
        : entry
  }
}

export type Values = ReturnType<typeof make>
