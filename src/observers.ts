// Print
export * as ConsoleObserver from "./observer/ConsoleObserver.js"
// Write
export * as FileObserver from "./observer/FileObserver.js"
// Keep
export * as MemoryObserver from "./observer/MemoryObserver.js"
