// Swap layers in tests
export * as TaskflowTest from "./testing/TaskflowTest.js"
// Assert what happened
export * as MemoryObserver from "./observer/MemoryObserver.js"
// Prove a backend
export * as BackendSuite from "./testing/BackendSuite.js"
