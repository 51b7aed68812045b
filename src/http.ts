// Mount
export * as TaskHttp from "./http/TaskHttp.js"
export * as TaskHost from "./http/TaskHost.js"
// Close
export * as TaskAuth from "./http/TaskAuth.js"
// Call
export * as TaskApi from "./http/TaskApi.js"
