// Mount
export * as TaskHttp from "./http/TaskHttp.js"
// Close
export * as TaskAuth from "./http/TaskAuth.js"
// Call
export * as TaskApi from "./http/TaskApi.js"
// Listen
export * as TaskStream from "./http/stream/reduce.js"
