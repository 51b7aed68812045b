// Tasks in an SQLite file of their own
export * as SqliteBackend from "./backend/SqliteBackend.js"
