/**
 * The frames of the recent past, numbered and encoded once, so that a client which was away can go on where it was. Plain
 * mutable data of one owner.
 */
import type { Frame } from "./frame.js"
import type { SharedTopic } from "./topics.js"

/** A frame as it goes over the wire, for everybody who hears it. */
export interface Encoded {
  readonly seq: number
  /** Null: for everybody. */
  readonly topic: SharedTopic | null
  /** A whole message, with its id. */
  readonly bytes: Uint8Array
  /** Where the JSON begins in `bytes`; behind it come two line ends. */
  readonly start: number
}

export interface RingOptions {
  readonly epoch: string
  readonly maxFrames: number
  readonly maxBytes: number
}

export interface Ring {
  /** The id of the latest frame: a client that knows everything up to now has this one. */
  readonly position: () => string
  /** Numbers and encodes a frame that is not kept: what one client hears, or those who watch one task. */
  readonly encode: (frame: Frame | string) => Encoded
  /** Numbers, encodes and keeps a frame. */
  readonly push: (topic: SharedTopic | null, frame: Frame | string) => Encoded
  /** What came after an id, oldest first; null when that is not known any more, or never was. */
  readonly since: (id: string, topics: ReadonlySet<SharedTopic>, maxBytes: number) => ReadonlyArray<Encoded> | null
  /** Forgets everything: what came between is not known, so nobody can go on from before. */
  readonly restart: () => void
}

const encoder = new TextEncoder()

/** A message with an id of its own choice. */
export const message = (id: string, frame: Frame | string): Uint8Array =>
  encoder.encode(`id: ${id}\ndata: ${typeof frame === "string" ? frame : JSON.stringify(frame)}\n\n`)

/** The JSON of an encoded frame. */
export const jsonOf = ({ bytes, start }: Encoded): Uint8Array => bytes.subarray(start, -2)

export const make = ({ epoch, maxBytes, maxFrames }: RingOptions): Ring => {
  const frames: Array<Encoded> = []
  let seq = 0
  // Of the latest frame that is forgotten: whoever has not seen that one cannot go on.
  let forgotten = 0
  let bytes = 0

  const encode = (topic: SharedTopic | null, frame: Frame | string): Encoded => {
    seq += 1
    const id = `${epoch}-${seq}`
    return { seq, topic, bytes: message(id, frame), start: "id: \ndata: ".length + id.length }
  }

  return {
    position: () => `${epoch}-${seq}`,
    encode: (frame) => encode(null, frame),
    push: (topic, frame) => {
      const encoded = encode(topic, frame)
      frames.push(encoded)
      bytes += encoded.bytes.length
      while (frames.length > maxFrames || bytes > maxBytes && frames.length > 1) {
        const oldest = frames.shift()!
        bytes -= oldest.bytes.length
        forgotten = oldest.seq
      }
      return encoded
    },
    since: (id, topics, maxBytes) => {
      const [, of, number] = /^([0-9a-z]+)-(\d{1,15})$/.exec(id) ?? []
      const last = Number(number)
      if (of !== epoch || last < forgotten || last > seq) return null
      const missed = frames.filter((frame) => frame.seq > last && (frame.topic === null || topics.has(frame.topic)))
      return missed.reduce((sum, frame) => sum + frame.bytes.length, 0) > maxBytes ? null : missed
    },
    restart: () => {
      frames.length = 0
      bytes = 0
      seq += 1
      forgotten = seq
    }
  }
}
