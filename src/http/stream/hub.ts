/** What a hub of the live stream is, and what it is made of. `StreamHub.make` makes one. */
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import type * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { TaskChanges } from "../../TaskFeed.js"
import type { TaskUser } from "../TaskUser.js"
import type * as Fleet from "./fleet.js"
import type { Json } from "./frame.js"
import type { StreamUnavailable } from "./problem.js"
import type * as Telling from "./telling.js"
import type { Topics } from "./topics.js"

export interface StreamHubOptions extends Telling.Sources {
  /**
   * What changes in the fleet, from when it is run: `ManagerSources.changes(manager)`. Its first page, which may be empty, says that it
   * knows from where on: what is read of the backend after `hello` and what the frames tell leave no gap between them.
   */
  readonly changes: Stream.Stream<TaskChanges>
  /** Where the topic `fleet` comes from; without it nothing of it is told. */
  readonly fleet?: Fleet.FleetSource | undefined
  /** Tells clients that the application they were loaded from is another one. */
  readonly build: string
  /** Calls back whenever a batch changed. */
  readonly onBatch: (listener: () => void) => void
  /** What a user may do, as clients are told it. */
  readonly capabilities: (user: TaskUser) => Json
  /** How many streams may be open. One more is refused with 503, and polls. Default 100. */
  readonly maxStreams?: number | undefined
  /** How long frames are kept behind the last client. Default 2 minutes. */
  readonly linger?: Duration.DurationInput | undefined
}

/** Who asks. */
export interface Visitor {
  readonly user: TaskUser
  /** Whether topics of log lines are for them. */
  readonly mayReadLogs: boolean
  /** Asked every minute while the stream is open: false ends it. */
  readonly stillAllowed: Effect.Effect<boolean>
}

/** What somebody wants to hear, and the id of the last frame they have. */
export interface Wish {
  readonly topics: Topics
  readonly since: string | undefined
}

export interface StreamHub {
  /** `GET /stream`: server-sent events until the client leaves, at most 15 minutes. */
  readonly stream: (
    visitor: Visitor
  ) => Effect.Effect<HttpServerResponse.HttpServerResponse, never, HttpServerRequest.HttpServerRequest | Scope.Scope>
  /** `GET /changes?since=ID`: the same frames as JSON, for those who cannot keep a stream open. */
  readonly changes: (
    visitor: Visitor
  ) => Effect.Effect<HttpServerResponse.HttpServerResponse, never, HttpServerRequest.HttpServerRequest>
  /** The messages of one stream as bytes. Fails when there are too many streams, or the hub is closed. */
  readonly connect: (
    visitor: Visitor,
    wish: Wish
  ) => Effect.Effect<Stream.Stream<Uint8Array>, StreamUnavailable, Scope.Scope>
  /** What came since: the frames as JSON, and the id to ask with next. */
  readonly poll: (visitor: Visitor, wish: Wish) => Effect.Effect<Polled, StreamUnavailable>
  readonly metrics: Effect.Effect<Metrics>
  /** How many groups need attention may have changed although no task did. */
  readonly lookAtAttention: () => void
}

export interface Polled {
  readonly frames: ReadonlyArray<Uint8Array>
  readonly next: string
}

export interface Metrics {
  /** Streams that are open. */
  readonly connections: number
  /** Frames that were encoded for several clients, and their bytes. */
  readonly frames: number
  readonly bytes: number
  /** How often a client read too slowly and lost frames. */
  readonly lost: number
  /** Whether the changes of the fleet are listened to. */
  readonly awake: boolean
}
