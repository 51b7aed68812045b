// Mount
export * as TaskHttp from "./http/TaskHttp.js"
export * as TaskHost from "./http/TaskHost.js"
// Close
export * as TaskAuth from "./http/TaskAuth.js"
// Show
export * as TaskRedaction from "./http/TaskRedaction.js"
// Call
export * as TaskApi from "./http/TaskApi.js"
// Filter
export * as TaskFilter from "./http/TaskFilter.js"
export * as TaskSearch from "./http/TaskSearch.js"
// Listen
export * as TaskStream from "./http/stream/reduce.js"
