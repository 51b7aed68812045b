// Tasks in MySQL or MariaDB, through a client of their own
export * as MysqlBackend from "./backend/MysqlBackend.js"
