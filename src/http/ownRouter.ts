/**
 * A HttpLayerRouter of our own. By default one finds no route where a part of the path is longer than 100 characters; names of
 * tasks and schedules have up to 200, of two UTF-16 units each.
 */
import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import * as Layer from "effect/Layer"

export const layer = Layer.provide(
  HttpLayerRouter.layer,
  Layer.succeed(HttpLayerRouter.RouterConfig, { maxParamLength: 400 })
)
