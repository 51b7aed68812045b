/**
 * Encryption at rest: payloads, results, errors, log lines, progress and idempotency keys are encrypted before any backend
 * sees them. Between `TaskflowLayer` and the backend.
 *
 * ```
 * TaskflowLayer().pipe(Layer.provide(TaskCipher.layer({ keys })), Layer.provide(SqliteBackend.layer({ filename })))
 * ```
 *
 * AES-256-GCM. The first key encrypts, all of them decrypt.
 */
import { randomBytes } from "node:crypto"
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { KeyMaterial } from "./backend/cipher/keyring.js"
import * as Keyring from "./backend/cipher/keyring.js"
import * as CipherBackend from "./backend/CipherBackend.js"
import { TaskBackend } from "./TaskBackend.js"
import { TaskflowWiringError } from "./TaskError.js"

/** A key and the name that it goes by. */
export interface CipherKey {
  /** Stored beside everything it encrypts, and shown: 1 to 32 of letters, digits, `-` and `_`. Never given to another key. */
  readonly id: string
  /** 32 random bytes in base64, as `TaskCipher.generateKey` makes them. */
  readonly key: Redacted.Redacted<string>
}

/** The keys, and what to do with them. */
export interface TaskCipherOptions {
  /** The first one encrypts, all of them decrypt. At least one. */
  readonly keys: ReadonlyArray<CipherKey>
  /**
   * What idempotency keys and fingerprints of errors are hashed with, 32 bytes in base64; it decrypts nothing. It has to stay
   * when keys change. Default: the key, as long as there is one. With several it has to be said: the one that was alone before.
   */
  readonly hashKey?: Redacted.Redacted<string> | undefined
  /** False: what is encrypted is read, what is written stays readable. To turn encryption on or off. Default true. */
  readonly encrypt?: boolean | undefined
}

const idForm = /^[A-Za-z0-9_-]{1,32}$/
const base64 = /^[A-Za-z0-9+/_-]+={0,2}$/
const keyBytes = 32

const wrong = (message: string) => new TaskflowWiringError({ message: `TaskCipher: ${message}` })

// Never with the key in the text, whatever is wrong with it.
const bytesOf = (which: string, key: Redacted.Redacted<string>): Either.Either<Uint8Array, TaskflowWiringError> => {
  const text = Redacted.value(key)
  if (!base64.test(text)) return Either.left(wrong(`${which} is not base64: make one with openssl rand -base64 32`))
  const bytes = Buffer.from(text, "base64")
  if (bytes.length !== keyBytes) {
    return Either.left(wrong(`${which} has ${bytes.length} bytes, it needs ${keyBytes}: openssl rand -base64 32`))
  }
  // Of 32 random bytes there are never so few different ones.
  return new Set(bytes).size < 8
    ? Either.left(wrong(`${which} is not random: make one with openssl rand -base64 32`))
    : Either.right(bytes)
}

/** The keys as they are used, or what is wrong with them. */
const ringOf = ({ hashKey, keys }: TaskCipherOptions): Either.Either<Keyring.Keyring, TaskflowWiringError> =>
  Either.gen(function*() {
    const materials: Array<KeyMaterial> = []
    for (const [index, { id, key }] of keys.entries()) {
      // What is no id could be a key in the wrong place, so it is not repeated.
      if (!idForm.test(id)) {
        return yield* Either.left(
          wrong(`the id of key ${index + 1} has other characters than letters, digits, - and _, or more than 32`)
        )
      }
      if (materials.some((other) => other.id === id)) {
        return yield* Either.left(
          wrong(`two keys have the id ${id}: a key that replaces another needs an id of its own`)
        )
      }
      materials.push({ id, key: yield* bytesOf(`key ${id}`, key) })
    }
    const [first, ...others] = materials
    if (first === undefined) return yield* Either.left(wrong("keys is empty: without a key nothing can be encrypted"))
    if (hashKey !== undefined) return Keyring.make([first, ...others], yield* bytesOf("hashKey", hashKey))
    // Whichever of them it were, some order of the list would change it, and every key that is held would be free.
    return others.length === 0
      ? Keyring.make([first], first.key)
      : yield* Either.left(wrong("several keys need a hashKey, the same for good: the key that was alone before"))
  })

const make = (options: TaskCipherOptions) =>
  Effect.gen(function*() {
    // A mistake in the keys is one in the wiring: nothing starts without them.
    const ring = yield* Effect.orDie(ringOf(options))
    return CipherBackend.over(yield* TaskBackend, ring, options.encrypt ?? true)
  })

/** A backend that encrypts, over the one that it needs. Keys that are wrong, missing or twice there are a wiring error. */
export const layer = (options: TaskCipherOptions): Layer.Layer<TaskBackend, never, TaskBackend> =>
  Layer.effect(TaskBackend, make(options))

/** The variables that `layerConfig` reads by default. */
const keysVariable = "TASKFLOW_ENCRYPTION_KEYS"
const hashKeyVariable = "TASKFLOW_HASH_KEY"

/** A list of keys in one variable: `id:base64`, separated by commas, the one that encrypts first. */
export const keysConfig = (name: string = keysVariable): Config.Config<ReadonlyArray<CipherKey>> =>
  Config.mapOrFail(Config.redacted(name), (text) => {
    const keys = Redacted.value(text).split(",").map((one): CipherKey | undefined => {
      const at = one.indexOf(":")
      return at < 0
        ? undefined
        : { id: one.slice(0, at).trim(), key: Redacted.make(one.slice(at + 1).trim()) }
    })
    return keys.every((key) => key !== undefined)
      ? Either.right(keys)
      : Either.left(ConfigError.InvalidData([name], "keys are written as id:base64, separated by commas"))
  })

/** The same from configuration; by default from `TASKFLOW_ENCRYPTION_KEYS` and, where there is one, `TASKFLOW_HASH_KEY`. */
export const layerConfig = (
  options: Config.Config.Wrap<TaskCipherOptions> = Config.all({
    keys: keysConfig(),
    hashKey: Config.withDefault(Config.redacted(hashKeyVariable), undefined)
  })
): Layer.Layer<TaskBackend, ConfigError.ConfigError, TaskBackend> =>
  Layer.effect(TaskBackend, Effect.flatMap(Config.unwrap(options), make))

/** A new key. */
export const generateKey: Effect.Effect<Redacted.Redacted<string>> = Effect.sync(() =>
  Redacted.make(randomBytes(keyBytes).toString("base64"))
)
