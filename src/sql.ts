// Tasks in the application's own database, through its SqlClient
export * as SqlBackend from "./backend/SqlBackend.js"
