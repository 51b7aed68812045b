// Tasks in PostgreSQL, through a client of their own
export * as PostgresBackend from "./backend/PostgresBackend.js"
