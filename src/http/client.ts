/** A typed client of the HTTP API, for programs elsewhere. */
import type * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiClient from "@effect/platform/HttpApiClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as TaskApi from "./TaskApi.js"

/** Who the client is. */
export type Credentials =
  | { readonly username: string; readonly password: Redacted.Redacted }
  | { readonly token: Redacted.Redacted }

/** Where the API is, and as whom to ask it. */
export interface ClientOptions {
  /** Where the server is, as `https://example.com`; behind a proxy that adds a path, with that path. */
  readonly baseUrl: string | URL
  /** As it was given to the server. Default "/tasks". */
  readonly prefix?: `/${string}` | undefined
  /** Default none, for an open server. */
  readonly credentials?: Credentials | undefined
  /** For what else every request needs: another header, a retry, a timeout. Default: nothing. */
  readonly transformClient?: ((client: HttpClient.HttpClient) => HttpClient.HttpClient) | undefined
}

const withCredentials = (credentials: Credentials | undefined) => (request: HttpClientRequest.HttpClientRequest) =>
  credentials === undefined
    ? request
    : "token" in credentials
    ? HttpClientRequest.bearerToken(request, Redacted.value(credentials.token))
    : HttpClientRequest.setHeader(
      request,
      "authorization",
      // In bytes of UTF-8, as the server reads it.
      `Basic ${Buffer.from(`${credentials.username}:${Redacted.value(credentials.password)}`).toString("base64")}`
    )

type ClientOf<Api> = Api extends HttpApi.HttpApi<infer _Id, infer Groups, infer E, infer _R>
  ? HttpApiClient.Client<Groups, E, never>
  : never

/** The endpoints in their groups, as `client.tasks.retry({ path: { id }, payload: {} })`. */
export interface TaskClient extends ClientOf<TaskApi.TaskApi> {}

/**
 * Every endpoint as a method that fails with what the server refuses: the same classes that `TaskManager` fails with, and
 * those of `TaskProblem`. Needs an HttpClient, as `FetchHttpClient.layer`.
 */
export const client = (
  { baseUrl, credentials, prefix, transformClient = (client) => client }: ClientOptions
): Effect.Effect<TaskClient, never, HttpClient.HttpClient> =>
  HttpApiClient.make(TaskApi.make(prefix), {
    baseUrl,
    transformClient: (client) =>
      transformClient(
        client.pipe(
          HttpClient.mapRequest(HttpClientRequest.setHeader("x-taskflow", "1")),
          HttpClient.mapRequest(withCredentials(credentials))
        )
      )
  })
